-- Migrations of the lake, in order. A block that was released is never changed: a new one is added below.
-- Timestamps are UTC without a zone. Identifiers of other stores are kept as text, "" where there is none.

-- name: migration_0001_messages
-- One row per message a gateway accepted.
CREATE TABLE lake.messages (
    message_id UUID NOT NULL,
    sent_at TIMESTAMP NOT NULL,
    account VARCHAR NOT NULL,
    campaign_id VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    receiver VARCHAR NOT NULL,
    sender VARCHAR NOT NULL,
    country VARCHAR NOT NULL,
    network VARCHAR NOT NULL,
    mccmnc VARCHAR NOT NULL,
    delivery_status VARCHAR NOT NULL,
    error_code VARCHAR NOT NULL,
    delivered_at TIMESTAMP,
    price_eur_cents DECIMAL(12, 4) NOT NULL,
    segment_count INTEGER NOT NULL,
    unicode BOOLEAN NOT NULL,
    gateway VARCHAR NOT NULL,
    gateway_message_id VARCHAR NOT NULL
);
ALTER TABLE lake.messages SET PARTITIONED BY (year(sent_at), month(sent_at));

-- name: migration_0002_contacts
-- The rows of distribution lists; fields hold the file's cells in the list's column order, '' when empty.
CREATE TABLE lake.contacts (
    list_id VARCHAR NOT NULL,
    row_no INTEGER NOT NULL,
    msisdn VARCHAR NOT NULL,
    country VARCHAR NOT NULL,
    network VARCHAR NOT NULL,
    mccmnc VARCHAR NOT NULL,
    fields VARCHAR[] NOT NULL
);

-- name: migration_0003_audiences
-- What a launched campaign sends: frozen_audiences has its one row even when nobody is left to send to.
CREATE TABLE lake.frozen_audiences (
    campaign_id VARCHAR NOT NULL,
    list_id VARCHAR NOT NULL,
    audience_count BIGINT NOT NULL,
    frozen_at TIMESTAMP NOT NULL
);
-- The kept rows. Price is of the whole message: all its segments.
CREATE TABLE lake.audience (
    campaign_id VARCHAR NOT NULL,
    batch_no INTEGER NOT NULL,
    position INTEGER NOT NULL,
    message_id UUID NOT NULL,
    msisdn VARCHAR NOT NULL,
    country VARCHAR NOT NULL,
    network VARCHAR NOT NULL,
    mccmnc VARCHAR NOT NULL,
    text VARCHAR NOT NULL,
    encoding VARCHAR NOT NULL,
    segment_count INTEGER NOT NULL,
    price_eur_cents DECIMAL(12, 4) NOT NULL
);
-- The rows that became no sent message. Those excluded while freezing never had a message_id.
CREATE TABLE lake.unsent (
    campaign_id VARCHAR NOT NULL,
    message_id UUID,
    msisdn VARCHAR NOT NULL,
    outcome VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    country VARCHAR NOT NULL,
    network VARCHAR NOT NULL,
    mccmnc VARCHAR NOT NULL,
    recorded_at TIMESTAMP NOT NULL
);

-- name: migration_0004_appended_batches
-- The tag that makes appending a batch happen once: written in the commit of the batch's rows.
CREATE TABLE lake.appended_batches (
    batch_id VARCHAR NOT NULL,
    campaign_id VARCHAR NOT NULL,
    message_count BIGINT NOT NULL,
    appended_at TIMESTAMP NOT NULL
);

-- name: migration_0005_rollups
-- A route is what messages are counted apart by besides their day and price, a series those of one price on it.
CREATE TABLE lake.routes (
    route_id INTEGER NOT NULL,
    account VARCHAR NOT NULL,
    country VARCHAR NOT NULL,
    network VARCHAR NOT NULL,
    mccmnc VARCHAR NOT NULL
);
CREATE TABLE lake.series (series_id INTEGER NOT NULL, route_id INTEGER NOT NULL, price_eur_cents DECIMAL(12, 4) NOT NULL);
-- What the rollups do not know yet, as differences: written in the commit that changes lake.messages. A slot is a
-- quarter of an hour: every zone's days begin at one. The bucket is the delay's of a delivered message, else NULL.
CREATE TABLE lake.traffic_log (
    slot TIMESTAMP NOT NULL,
    account VARCHAR NOT NULL,
    country VARCHAR NOT NULL,
    network VARCHAR NOT NULL,
    mccmnc VARCHAR NOT NULL,
    price_eur_cents DECIMAL(12, 4) NOT NULL,
    bucket SMALLINT,
    sent BIGINT NOT NULL,
    delivered BIGINT NOT NULL,
    undelivered BIGINT NOT NULL
);
-- The rollups: by day and by month of a calendar, which is a time zone; id is a route's or a series'. The coarse ones
-- answer most questions in half the time.
CREATE TABLE lake.route_days (
    calendar VARCHAR NOT NULL,
    day DATE NOT NULL,
    id INTEGER NOT NULL,
    sent BIGINT NOT NULL,
    delivered BIGINT NOT NULL,
    undelivered BIGINT NOT NULL,
    cost_eur_cents DECIMAL(18, 4) NOT NULL
);
ALTER TABLE lake.route_days SET PARTITIONED BY (calendar, year(day), month(day));
CREATE TABLE lake.route_months (
    calendar VARCHAR NOT NULL,
    month DATE NOT NULL,
    id INTEGER NOT NULL,
    sent BIGINT NOT NULL,
    delivered BIGINT NOT NULL,
    undelivered BIGINT NOT NULL,
    cost_eur_cents DECIMAL(18, 4) NOT NULL
);
ALTER TABLE lake.route_months SET PARTITIONED BY (calendar, year(month), month(month));
CREATE TABLE lake.series_days (
    calendar VARCHAR NOT NULL,
    day DATE NOT NULL,
    id INTEGER NOT NULL,
    sent BIGINT NOT NULL,
    delivered BIGINT NOT NULL,
    undelivered BIGINT NOT NULL,
    cost_eur_cents DECIMAL(18, 4) NOT NULL
);
ALTER TABLE lake.series_days SET PARTITIONED BY (calendar, year(day), month(day));
CREATE TABLE lake.series_months (
    calendar VARCHAR NOT NULL,
    month DATE NOT NULL,
    id INTEGER NOT NULL,
    sent BIGINT NOT NULL,
    delivered BIGINT NOT NULL,
    undelivered BIGINT NOT NULL,
    cost_eur_cents DECIMAL(18, 4) NOT NULL
);
ALTER TABLE lake.series_months SET PARTITIONED BY (calendar, year(month), month(month));
-- Delivered messages by how long it took.
CREATE TABLE lake.route_delay_days (
    calendar VARCHAR NOT NULL,
    day DATE NOT NULL,
    id INTEGER NOT NULL,
    bucket SMALLINT NOT NULL,
    messages BIGINT NOT NULL
);
ALTER TABLE lake.route_delay_days SET PARTITIONED BY (calendar, year(day), month(day));
CREATE TABLE lake.route_delay_months (
    calendar VARCHAR NOT NULL,
    month DATE NOT NULL,
    id INTEGER NOT NULL,
    bucket SMALLINT NOT NULL,
    messages BIGINT NOT NULL
);
ALTER TABLE lake.route_delay_months SET PARTITIONED BY (calendar, year(month), month(month));
CREATE TABLE lake.series_delay_days (
    calendar VARCHAR NOT NULL,
    day DATE NOT NULL,
    id INTEGER NOT NULL,
    bucket SMALLINT NOT NULL,
    messages BIGINT NOT NULL
);
ALTER TABLE lake.series_delay_days SET PARTITIONED BY (calendar, year(day), month(day));
CREATE TABLE lake.series_delay_months (
    calendar VARCHAR NOT NULL,
    month DATE NOT NULL,
    id INTEGER NOT NULL,
    bucket SMALLINT NOT NULL,
    messages BIGINT NOT NULL
);
ALTER TABLE lake.series_delay_months SET PARTITIONED BY (calendar, year(month), month(month));
-- The months whose rollups are there; of the others only lake.messages can tell. A patch replaces some of a month's
-- days, and leaves a file and a list of deleted rows behind: after a number of them the month is written anew.
CREATE TABLE lake.rollup_months (calendar VARCHAR NOT NULL, month DATE NOT NULL, patch_count INTEGER NOT NULL);
-- The months (of UTC) that have messages.
CREATE TABLE lake.message_months (month DATE NOT NULL);
INSERT INTO lake.message_months SELECT DISTINCT date_trunc('month', sent_at)::DATE FROM lake.messages;

-- name: migration_0006_receipts
-- Every receipt of a message as it came, also one that changed nothing. sent_at is the message's: a message and its
-- receipts lie in the same month, and are found together. receipt_no is the receipt's number in the inbox, which may
-- give it again once its receipt is gone. A receipt is what it says, and is here once, however often it came.
CREATE TABLE lake.receipts (
    message_id UUID NOT NULL,
    sent_at TIMESTAMP NOT NULL,
    receipt_no BIGINT NOT NULL,
    gateway VARCHAR NOT NULL,
    gateway_message_id VARCHAR NOT NULL,
    receipt_state VARCHAR NOT NULL,
    error_code VARCHAR NOT NULL,
    done_at TIMESTAMP NOT NULL,
    received_at TIMESTAMP NOT NULL
);
ALTER TABLE lake.receipts SET PARTITIONED BY (year(sent_at), month(sent_at));

-- name: migration_0007_imported_chunks
-- Tags the commits of imported traffic, with what each did: a worker that takes over finds what is done.
CREATE TABLE lake.imported_chunks (
    import_id VARCHAR NOT NULL,
    chunk_no INTEGER NOT NULL,
    added BIGINT NOT NULL,
    updated BIGINT NOT NULL,
    unchanged BIGINT NOT NULL
);

-- name: migration_0008_number_search
-- The ends of the numbers that were sent to, for finding numbers by a part: number_search.py says how. A slot is a
-- quarter of an hour, as in traffic_log. The sorted ones are of a whole month, the others of a day.
CREATE TABLE lake.receiver_endings (
    slot TIMESTAMP NOT NULL,
    ending BIGINT NOT NULL,
    before SMALLINT NOT NULL,
    is_sorted BOOLEAN NOT NULL
);
ALTER TABLE lake.receiver_endings SET PARTITIONED BY (is_sorted, year(slot), month(slot));
-- The days (of UTC, from first_day to before end_day) whose numbers are there. Every commit that adds to them leaves a
-- span behind, so that spans may overlap; none goes beyond its month.
CREATE TABLE lake.indexed_spans (span_id UUID NOT NULL, first_day DATE NOT NULL, end_day DATE NOT NULL);
-- Slots of those days that got messages later, and are to be looked at whatever is searched for.
CREATE TABLE lake.unindexed_slots (slot TIMESTAMP NOT NULL);

-- name: migration_0010_rollups_in_memory
-- One rollup is enough: processes keep it in memory and add it up there. Its months and routes are gone.
DROP TABLE lake.route_days;
DROP TABLE lake.route_months;
DROP TABLE lake.series_months;
DROP TABLE lake.route_delay_days;
DROP TABLE lake.route_delay_months;
DROP TABLE lake.series_delay_months;
-- By these numbers a process knows what of its memory is of yesterday: of a month, as it was last built, and of each of
-- its days that was patched since. None comes twice.
ALTER TABLE lake.rollup_months ADD COLUMN version BIGINT DEFAULT 0;
CREATE TABLE lake.rollup_patches (calendar VARCHAR NOT NULL, day DATE NOT NULL, version BIGINT NOT NULL);

-- name: migration_0011_moments_of_numbers
-- The index of numbers says to the microsecond when they were sent to, and is made anew. What it leads to is read with
-- all other messages of a row group: with the usual 122,880 that takes three times as long.
CALL lake.set_option('parquet_row_group_size', 30720);
DROP TABLE lake.receiver_endings;
CREATE TABLE lake.receiver_endings (
    sent_at TIMESTAMP NOT NULL,
    ending BIGINT NOT NULL,
    before SMALLINT NOT NULL,
    is_sorted BOOLEAN NOT NULL
);
ALTER TABLE lake.receiver_endings SET PARTITIONED BY (is_sorted, year(sent_at), month(sent_at));
DELETE FROM lake.indexed_spans;
DELETE FROM lake.unindexed_slots;

-- name: migration_0012_heads_of_endings
-- The first nine digits of an ending: a search for a long part names those of its lookups, and makes them one. Made anew
-- again.
DROP TABLE lake.receiver_endings;
CREATE TABLE lake.receiver_endings (
    sent_at TIMESTAMP NOT NULL,
    head INTEGER NOT NULL,
    ending BIGINT NOT NULL,
    before SMALLINT NOT NULL,
    is_sorted BOOLEAN NOT NULL
);
ALTER TABLE lake.receiver_endings SET PARTITIONED BY (is_sorted, year(sent_at), month(sent_at));
DELETE FROM lake.indexed_spans;
DELETE FROM lake.unindexed_slots;
