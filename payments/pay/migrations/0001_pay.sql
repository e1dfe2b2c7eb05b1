-- Secrets of the service: "receipt" is the seed of the key that signs receipts.
create table pay_secret (
    name text primary key,
    value bytea not null
);

-- Wallets, from the first key or the first word of the operator about them. Times are UTC microseconds, 0 for never.
create table pay_wallet (
    account text primary key, -- the bare address
    level text not null, -- what identification allows; empty for the first
    frozen bigint not null -- since when nothing is debited
);

-- Limits that accounts set for themselves.
create table pay_limit (
    account text not null,
    unit text not null,
    transaction_most bigint not null, -- in minor units
    day_most bigint not null,
    primary key (account, unit)
);

-- What accounts have spent in a day (days since 1970, UTC), fees included.
create table pay_day (
    account text not null,
    unit text not null,
    day bigint not null,
    spent bigint not null,
    primary key (account, unit, day)
);
create index pay_day_day on pay_day (day);

-- Payment keys, also those that were dropped.
create table pay_key (
    account text not null,
    id text not null,
    kind text not null, -- pin, passkey, offline
    name text not null,
    public bytea not null,
    salt bytea not null, -- of a key with a PIN
    verifier bytea not null, -- SHA-256 of what a device shows for its share
    share bytea not null,
    credential text not null, -- id of a passkey
    added bigint not null,
    ready bigint not null, -- from when it works
    dropped bigint not null,
    wrong bigint not null, -- wrong PINs since the last right one
    waits bigint not null, -- until when no PIN is tried
    unlocked bigint not null, -- when the PIN was last right
    unit text not null, -- of its cap, for a key without network
    cap bigint not null,
    primary key (account, id)
);

-- Orders that were carried out, as they were signed.
create table pay_order (
    id text primary key,
    account text not null,
    time bigint not null,
    hash bytea not null,
    intent text not null,
    key text not null,
    public bytea not null,
    signature bytea not null,
    authenticator bytea not null,
    client bytea not null
);
create index pay_order_account on pay_order (account, time);

-- Payments: what was done, what waits for a network outside, what was refused.
create table pay_payment (
    id text primary key,
    kind text not null,
    state text not null, -- done, held, ended, waiting, refused
    payer text not null,
    payee text not null,
    amount bigint not null,
    unit text not null,
    fee bigint not null,
    target text not null, -- the id of what it is about
    about text not null, -- what it is for
    until bigint not null,
    total bigint not null,
    period text not null,
    time bigint not null,
    number bigint not null, -- of the ledger's record, 0 for none
    refunded bigint not null,
    chat text not null, -- the conversation in which it is shown, if it is not the other's address
    hash bytea not null, -- SHA-256 of the intent's text
    intent text not null,
    key text not null,
    public bytea not null,
    signature bytea not null,
    authenticator bytea not null,
    client bytea not null,
    receipt text not null,
    receipt_signature bytea not null,
    why text not null, -- why it was refused, in one word
    error text not null -- the error that was answered
);
create index pay_payment_target on pay_payment (target) where target <> '';
create index pay_payment_state on pay_payment (state, time);

-- Whose history a payment is in, and words by which it is found.
create table pay_line (
    account text not null,
    time bigint not null,
    id text not null,
    unit text not null,
    words text not null,
    primary key (account, time, id)
);

-- Whom accounts have paid.
create table pay_payee (
    account text not null,
    payee text not null,
    unit text not null,
    times bigint not null,
    largest bigint not null,
    newest bigint not null,
    primary key (account, payee, unit)
);

-- Notices that the network does not have yet; id is their order.
create table pay_notice (
    id bigint primary key,
    account text not null,
    stanza text not null,
    tries bigint not null,
    due bigint not null
);
create index pay_notice_due on pay_notice (due);

-- What an operator should look at.
create table pay_suspicion (
    id bigint primary key, -- when, in UTC microseconds
    account text not null,
    kind text not null,
    payment text not null, -- the id of what it is about
    about text not null
);
