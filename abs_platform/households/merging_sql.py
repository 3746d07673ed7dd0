# SPDX-License-Identifier: EUPL-1.2
"""The statements of the import: what is staged, refused, gone, the same household, changed and new."""

STAGING = """
    DROP TABLE IF EXISTS pg_temp.staged_addresses, pg_temp.staged_key, pg_temp.staged_rejections,
                         pg_temp.placed_addresses, pg_temp.gone_households;
    CREATE TEMP TABLE staged_addresses (
        line bigint NOT NULL, bag_object_id text NOT NULL, bag_address_id text, object_type text NOT NULL,
        street text NOT NULL, house_number bigint NOT NULL, house_letter text NOT NULL,
        house_addition text NOT NULL, postcode text NOT NULL, city text NOT NULL
    ) ON COMMIT DROP;
    CREATE TEMP TABLE staged_key (
        line bigint NOT NULL, postcode text NOT NULL, house_number bigint NOT NULL,
        neighbourhood_code text NOT NULL
    ) ON COMMIT DROP;
    CREATE TEMP TABLE staged_rejections (
        line bigint NOT NULL, column_name text NOT NULL, reason text NOT NULL, bag_object_id text
    ) ON COMMIT DROP;
"""

KEY_CONFLICT = """
    SELECT min(line), max(line) FROM staged_key
    GROUP BY postcode, house_number HAVING count(DISTINCT neighbourhood_code) > 1
    ORDER BY 1 LIMIT 1
"""

REJECT_SAME_OBJECT = """
    INSERT INTO staged_rejections
    SELECT line, %(column)s, format('dit object staat ook op regel %%s.', first_line), bag_object_id
    FROM staged_addresses
    JOIN (SELECT bag_object_id, min(line) AS first_line
          FROM staged_addresses GROUP BY 1 HAVING count(*) > 1) AS twice USING (bag_object_id)
    WHERE line > first_line
"""

# The street too: two streets may share a postcode, and have the same number.
REJECT_SAME_ADDRESS = """
    INSERT INTO staged_rejections
    SELECT line, %(column)s, format('dit adres staat ook op regel %%s, met een ander object.', first_line),
           bag_object_id
    FROM staged_addresses
    JOIN (SELECT postcode, house_number, house_letter, house_addition, street, min(line) AS first_line
          FROM staged_addresses GROUP BY 1, 2, 3, 4, 5 HAVING count(*) > 1) AS twice
         USING (postcode, house_number, house_letter, house_addition, street)
    WHERE line > first_line
"""

DROP_REJECTED = "DELETE FROM staged_addresses s USING staged_rejections r WHERE r.line = s.line"

PLACE = """
    CREATE TEMP TABLE placed_addresses ON COMMIT DROP AS
    SELECT s.*, k.neighbourhood_code, a.id AS neighbourhood_id
    FROM staged_addresses s
    LEFT JOIN (SELECT DISTINCT postcode, house_number, neighbourhood_code FROM staged_key) AS k
              USING (postcode, house_number)
    LEFT JOIN areas a ON a.code = 'BU' || k.neighbourhood_code AND a.level = 'neighbourhood' AND a.is_current
"""

REJECT_UNPLACED = """
    WITH unplaced AS (
        DELETE FROM placed_addresses WHERE neighbourhood_id IS NULL
        RETURNING line, bag_object_id, postcode, house_number, neighbourhood_code
    )
    INSERT INTO staged_rejections
    SELECT line, %(column)s,
           CASE WHEN neighbourhood_code IS NULL
                THEN format('%%s met huisnummer %%s staat niet in de CBS-sleutel.', postcode, house_number)
                ELSE format('buurt BU%%s (volgens de CBS-sleutel) staat niet in de lijst van buurten.',
                            neighbourhood_code)
           END,
           bag_object_id
    FROM unplaced
"""

REJECTED = """
    SELECT count(*), count(*) FILTER (WHERE bag_object_id IS NULL) FROM staged_rejections
"""
FIRST_REJECTIONS = """
    SELECT line, column_name, reason, bag_object_id FROM staged_rejections ORDER BY line LIMIT %(limit)s
"""

# The BAG sometimes gives an address a new object. The household stays who it was: else it would get a second voucher.
# So does one that was added by hand, once the BAG has its address too (the street may be spelled otherwise there), and
# one that was ended by hand: it stays ended.
REKEY = """
    WITH newcomers AS MATERIALIZED (
        SELECT * FROM placed_addresses p
        WHERE NOT EXISTS (SELECT FROM households h WHERE h.bag_object_id = p.bag_object_id)
    ), leavers AS MATERIALIZED (
        SELECT * FROM households h
        WHERE (ended_on IS NULL OR ended_by_hand_at IS NOT NULL)
          AND NOT EXISTS (SELECT FROM placed_addresses p WHERE p.bag_object_id = h.bag_object_id)
          AND NOT EXISTS (SELECT FROM staged_rejections r WHERE r.bag_object_id = h.bag_object_id)
    ), pairs AS (
        SELECT p.line, h.id, 0 AS likeness FROM newcomers p JOIN leavers h USING (bag_address_id)
        UNION ALL
        SELECT p.line, h.id, 0
        FROM newcomers p JOIN leavers h USING (postcode, house_number, house_letter, house_addition, street)
        UNION ALL
        SELECT p.line, h.id, 1
        FROM newcomers p JOIN leavers h USING (postcode, house_number, house_letter)
        WHERE lower(p.house_addition) = lower(h.house_addition) AND h.added_by_hand_at IS NOT NULL
    ), of_lines AS (
        SELECT DISTINCT ON (line) line, id, likeness FROM pairs ORDER BY line, likeness, id
    )
    UPDATE households h
    SET bag_object_id = p.bag_object_id, bag_address_id = coalesce(p.bag_address_id, h.bag_address_id),
        object_type = p.object_type, street = p.street, house_number = p.house_number,
        house_letter = p.house_letter, house_addition = p.house_addition, postcode = p.postcode, city = p.city,
        neighbourhood_id = p.neighbourhood_id, added_by_hand_at = NULL
    FROM (SELECT DISTINCT ON (id) id, line FROM of_lines ORDER BY id, likeness, line) AS pair
    JOIN newcomers p USING (line)
    WHERE h.id = pair.id
"""

COUNT_LIVING = "SELECT count(*) FROM households WHERE ended_on IS NULL"
# A rejected line shows that its object is still there. What the coordinator added is not in the BAG yet.
FIND_GONE = """
    CREATE TEMP TABLE gone_households ON COMMIT DROP AS
    SELECT h.id FROM households h
    WHERE h.ended_on IS NULL AND h.added_by_hand_at IS NULL
      AND NOT EXISTS (SELECT FROM placed_addresses p WHERE p.bag_object_id = h.bag_object_id)
      AND NOT EXISTS (SELECT FROM staged_rejections r WHERE r.bag_object_id = h.bag_object_id)
"""
END_GONE = "UPDATE households h SET ended_on = %(today)s FROM gone_households g WHERE g.id = h.id"

# An ended address that is in the file again lives again, unless the coordinator ended it. What she added and the BAG
# now has too is the BAG's from now on. A row that is already right is not written.
UPDATE = """
    UPDATE households h
    SET bag_address_id = coalesce(p.bag_address_id, h.bag_address_id), object_type = p.object_type,
        street = p.street, house_number = p.house_number, house_letter = p.house_letter,
        house_addition = p.house_addition, postcode = p.postcode, city = p.city,
        neighbourhood_id = p.neighbourhood_id, added_by_hand_at = NULL,
        ended_on = CASE WHEN h.ended_by_hand_at IS NULL THEN NULL ELSE h.ended_on END
    FROM placed_addresses p
    WHERE p.bag_object_id = h.bag_object_id
"""
REVIVE = UPDATE + " AND h.ended_on IS NOT NULL AND h.ended_by_hand_at IS NULL"
CHANGE = (
    UPDATE
    + """
      AND (h.added_by_hand_at IS NOT NULL OR
           (h.bag_address_id, h.object_type, h.street, h.house_number, h.house_letter, h.house_addition,
           h.postcode, h.city, h.neighbourhood_id)
          IS DISTINCT FROM
          (coalesce(p.bag_address_id, h.bag_address_id), p.object_type, p.street, p.house_number,
           p.house_letter, p.house_addition, p.postcode, p.city, p.neighbourhood_id))
"""
)

INSERT = """
    INSERT INTO households (bag_object_id, bag_address_id, object_type, street, house_number, house_letter,
                            house_addition, postcode, city, neighbourhood_id)
    SELECT bag_object_id, bag_address_id, object_type, street, house_number, house_letter,
           house_addition, postcode, city, neighbourhood_id
    FROM placed_addresses p
    WHERE NOT EXISTS (SELECT FROM households h WHERE h.bag_object_id = p.bag_object_id)
    ORDER BY line
"""

COUNT_STAY_ENDED = """
    SELECT count(*) FROM placed_addresses p JOIN households h USING (bag_object_id)
    WHERE h.ended_by_hand_at IS NOT NULL AND h.ended_on IS NOT NULL
"""
# What was added by hand and still is, beside an address of the BAG that reads the same: two vouchers for one door.
COUNT_DOUBLES = """
    SELECT count(*) FROM households h
    WHERE h.added_by_hand_at IS NOT NULL AND h.ended_on IS NULL
      AND EXISTS (SELECT FROM households other
                  WHERE other.id <> h.id AND other.ended_on IS NULL AND other.postcode = h.postcode
                    AND other.house_number = h.house_number AND other.house_letter = h.house_letter
                    AND lower(other.house_addition) = lower(h.house_addition))
"""
