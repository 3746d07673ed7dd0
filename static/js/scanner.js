// Looks for QR codes with the camera. Each picture is looked at on the phone and forgotten: none is kept or sent.
const PAUSE = 150;
const SIDE = 720;

const nativeDetector = async () => {
  try {
    const formats = await globalThis.BarcodeDetector?.getSupportedFormats();
    return formats?.includes("qr_code") ? new BarcodeDetector({ formats: ["qr_code"] }) : null;
  } catch {
    return null;
  }
};

const ownReader = async () => {
  const { decodeQR } = await import("../vendor/qr/decode.js");
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  return (video) => {
    const side = Math.min(video.videoWidth, video.videoHeight);
    canvas.width = canvas.height = Math.min(side, SIDE);
    const [left, top] = [(video.videoWidth - side) / 2, (video.videoHeight - side) / 2];
    context.drawImage(video, left, top, side, side, 0, 0, canvas.width, canvas.height);
    try {
      return [decodeQR(context.getImageData(0, 0, canvas.width, canvas.height))];
    } catch {
      return []; // There is none in this picture.
    }
  };
};

// Fetched while there is network, so that it also reads without.
let reader = null;
export const prepare = () => {
  reader ??= (async () => {
    const native = await nativeDetector();
    if (!native) return ownReader();
    return async (video) => (await native.detect(video)).map((found) => found.rawValue);
  })();
  reader.catch(() => (reader = null));
  return reader;
};

// Shows the camera in this element and tells each text that it reads, not twice in a row; returns how to stop.
export const scan = async (video, tell) => {
  const read = await prepare();
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: false,
    video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 } },
  });
  let running = true;
  let last = "";
  video.srcObject = stream;
  await video.play();

  const look = async () => {
    if (!running) return;
    if (video.videoWidth) {
      for (const text of await Promise.resolve(read(video)).catch(() => [])) {
        if (text && text !== last) tell(text);
        last = text || last;
      }
    }
    setTimeout(look, PAUSE);
  };
  look();

  return () => {
    running = false;
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
};
