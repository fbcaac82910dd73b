-- Reading numbers as people write them, many at once: the order of the steps, and what stands for the names in braces, is
-- in reading_numbers.py. Its Python twin is core.domain.numbering.msisdn, which is asked where these cannot be certain.
-- number_texts has a row for each reading of a text: where a zero stands in brackets, is_kept tells the reading that
-- keeps it from the one that does not.

-- name: create_places
CREATE OR REPLACE TEMP TABLE number_places AS FROM number_places_known;

-- name: create_homes
CREATE OR REPLACE TEMP TABLE number_homes AS FROM number_homes_known;

-- name: list_homes
SELECT DISTINCT home FROM {source} WHERE home IS NOT NULL;

-- name: few
SELECT count(*) <= $few FROM (FROM {source} LIMIT $few + 1);

-- name: list_few
SELECT row_no, coalesce(text, '') AS text, {home} AS home FROM {source};

-- name: tell_few
CREATE OR REPLACE TEMP TABLE {into} AS FROM number_few;

-- name: join_digits
-- Most texts are digits already, and that is looked at first. What is written in groups is taken where nobody could read
-- it otherwise; joined is NULL, and Python asked, where somebody could.
CREATE OR REPLACE TEMP TABLE number_joined AS
WITH plain AS (
    SELECT
        row_no,
        {home} AS home,
        CASE
            WHEN regexp_full_match(text, '{plain}') THEN text
            WHEN regexp_full_match(text, '{plain}[.]0+') THEN split_part(text, '.', 1)
            WHEN regexp_full_match(text, '''{plain}') THEN text[2:]
            WHEN regexp_full_match(text, '="{plain}"') THEN text[3:-2]
            WHEN regexp_full_match(text, 'tel:{plain}') THEN text[5:]
        END AS plain,
        CASE
            WHEN plain IS NOT NULL OR length(text) > {longest} THEN NULL
            -- This takes longer than all else.
            WHEN regexp_matches(text, '[{odd}]') THEN translate(text, '{odd}', '{usual}')
            ELSE text
        END AS written
    FROM {source}
),
grouped AS (
    SELECT
        *,
        CASE WHEN regexp_full_match(written, '{begins}') THEN regexp_replace(written, '[{group}]+', '', 'g') END AS digits
    FROM plain
),
fitting AS (
    SELECT
        *,
        regexp_full_match(digits, '{short}')
            AND (NOT contains(written, '/') OR regexp_full_match(written, '{slash}'))
            AND (NOT contains(written, '.') OR regexp_full_match(written, '{point}')) AS fits,
        contains(written, '(') OR contains(written, ')') AS has_brackets
    FROM grouped
)
SELECT
    row_no,
    home,
    CASE
        WHEN plain IS NOT NULL THEN plain
        WHEN NOT fits THEN NULL
        WHEN NOT has_brackets OR (regexp_full_match(written, '{brackets}') AND NOT regexp_matches(written, '{zero}')) THEN digits
    END AS joined,
    CASE
        WHEN plain IS NULL AND fits AND has_brackets AND regexp_full_match(written, '{brackets}')
            AND (regexp_matches(written, '{zero_abroad}') OR (home <> '' AND regexp_matches(written, '{zero_at_home}')))
        THEN digits
    END AS kept,
    CASE WHEN kept IS NOT NULL THEN regexp_replace(regexp_replace(written, '{zero}', ''), '[{group}]+', '', 'g') END AS dropped
FROM fitting;

-- name: take_signs
CREATE OR REPLACE TEMP TABLE number_texts AS
SELECT
    row_no,
    is_kept,
    home,
    joined[1] = '+' OR starts_with(joined, '00') AS is_abroad,
    CASE WHEN joined[1] = '+' THEN joined[2:] WHEN is_abroad THEN joined[3:] ELSE joined END AS digits
FROM (
    SELECT row_no, false AS is_kept, home, coalesce(joined, dropped) AS joined FROM number_joined
    UNION ALL
    SELECT row_no, true, home, kept FROM number_joined WHERE kept IS NOT NULL
);

-- name: list_abroad
-- Numbers have no leading zeros, so that each is its own length, too.
SELECT row_no, is_kept, digits::BIGINT AS number FROM number_texts WHERE digits >= '1' AND digits < ':';

-- name: list_cut
SELECT
    f.row_no, f.is_kept, f.number >= {too_long} AS is_long,
    (p.calling_code || substr(f.number::VARCHAR, length(p.calling_code) + f.cut + 1))::BIGINT AS number
FROM number_found AS f
JOIN number_places AS p USING (place)
WHERE f.cut > 0;

-- name: take_abroad
CREATE OR REPLACE TEMP TABLE number_abroad AS
SELECT row_no, is_kept, number, number >= {too_long} AS is_long, cut < 0 AS asks, place FROM number_found WHERE cut <= 0
UNION ALL
SELECT row_no, is_kept, number, is_long, false, place FROM number_cut;

-- name: list_at_home
-- Digits that begin with a country code, and it is this country's, are not looked at as dialled at home. Behind the
-- number of the home and a 1, they keep their zeros.
SELECT
    t.row_no, t.is_kept, t.digits, h.calling_code,
    h.first + ('1' || left(t.digits, {home_digits}))::BIGINT AS number
FROM number_texts AS t
JOIN number_homes AS h USING (home)
LEFT JOIN number_abroad AS a USING (row_no, is_kept)
LEFT JOIN number_places AS p USING (place)
WHERE t.digits <> '' AND NOT t.is_abroad
    AND (p.place IS NULL OR p.fault <> '' OR p.calling_code <> h.calling_code);

-- name: list_numbered
SELECT
    row_no, is_kept, cut < 0 OR length(digits) > {home_digits} AS asks,
    CASE WHEN asks THEN 0 ELSE (calling_code || substr(digits, cut + 1))::BIGINT END AS number
FROM number_dialled;

-- name: judge_abroad
CREATE OR REPLACE TEMP TABLE number_judged AS
SELECT
    t.row_no, t.is_kept, a.number, a.place,
    CASE
        WHEN t.digits IS NULL OR a.asks THEN NULL
        WHEN p.place IS NULL THEN '{no_country}'
        WHEN a.is_long AND p.fault NOT IN ('', '{no_country}') THEN '{too_long_fault}'
        ELSE p.fault
    END AS fault
FROM number_texts AS t
LEFT JOIN number_abroad AS a USING (row_no, is_kept)
LEFT JOIN number_places AS p USING (place);

-- name: judge_at_home
CREATE OR REPLACE TEMP TABLE number_judged_abroad AS FROM number_judged;
CREATE OR REPLACE TEMP TABLE number_judged AS
SELECT
    row_no, is_kept,
    h.row_no IS NOT NULL AND a.fault <> '' AS is_at_home,
    CASE WHEN is_at_home THEN h.number ELSE a.number END AS number,
    CASE WHEN is_at_home THEN h.place ELSE a.place END AS place,
    CASE
        WHEN a.fault IS NULL OR h.asks THEN NULL
        WHEN a.fault = '' AND p.fault = '' AND a.number <> h.number THEN '{two_readings}'
        WHEN is_at_home THEN p.fault
        ELSE a.fault
    END AS fault
FROM number_judged_abroad AS a
LEFT JOIN number_at_home AS h USING (row_no, is_kept)
LEFT JOIN number_places AS p ON p.place = h.place;

-- name: settle_zeros
-- Of the two readings of a zero in brackets.
CREATE OR REPLACE TEMP TABLE number_judged AS
SELECT
    d.row_no,
    CASE WHEN k.fault = '' THEN k.number ELSE d.number END AS number,
    CASE WHEN k.fault = '' THEN k.place ELSE d.place END AS place,
    CASE
        WHEN k.row_no IS NULL THEN d.fault
        WHEN k.fault IS NULL OR d.fault IS NULL THEN NULL
        WHEN k.fault <> '' THEN d.fault
        WHEN d.fault = '' AND d.number <> k.number THEN '{two_readings}'
        ELSE ''
    END AS fault
FROM (FROM number_judged WHERE NOT is_kept) AS d
LEFT JOIN (FROM number_judged WHERE is_kept) AS k USING (row_no);

-- name: list_asked
CREATE OR REPLACE TEMP TABLE number_asked AS
SELECT row_number() OVER () AS asked_no, text, home
FROM (
    SELECT DISTINCT coalesce(s.text, '') AS text, j.home
    FROM number_joined AS j
    JOIN (SELECT row_no FROM number_judged WHERE fault IS NULL) USING (row_no)
    JOIN {source} AS s USING (row_no)
);
CREATE OR REPLACE TEMP TABLE number_answers (
    text VARCHAR NOT NULL, home VARCHAR NOT NULL,
    msisdn VARCHAR NOT NULL, country VARCHAR NOT NULL, line_type VARCHAR NOT NULL, carrier VARCHAR NOT NULL,
    network VARCHAR NOT NULL, mccmnc VARCHAR NOT NULL, fault VARCHAR NOT NULL
);

-- name: next_asked
SELECT text, home FROM number_asked WHERE asked_no > $after AND asked_no <= $after + $count;

-- name: add_answers
INSERT INTO number_answers FROM number_answers_known;

-- name: tell
CREATE OR REPLACE TEMP TABLE {into} AS
SELECT
    j.row_no,
    CASE WHEN j.fault = '' THEN '+' || j.number::VARCHAR ELSE '' END AS msisdn,
    coalesce(p.country, '') AS country,
    coalesce(p.line_type, '') AS line_type,
    coalesce(p.carrier, '') AS carrier,
    coalesce(p.network, '') AS network,
    coalesce(p.mccmnc, '') AS mccmnc,
    j.fault
FROM (
    -- A condition beside the equality would make this join a slow one.
    SELECT row_no, number, fault, CASE WHEN fault = '' THEN place END AS place FROM number_judged WHERE fault IS NOT NULL
) AS j
LEFT JOIN number_places AS p USING (place);

-- name: tell_answers
INSERT INTO {into}
SELECT s.row_no, a.* EXCLUDE (text, home)
FROM number_judged AS j
JOIN number_joined AS n USING (row_no)
JOIN {source} AS s USING (row_no)
JOIN number_answers AS a ON a.text = coalesce(s.text, '') AND a.home = n.home
WHERE j.fault IS NULL;
