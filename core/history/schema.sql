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
