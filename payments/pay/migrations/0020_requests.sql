-- Money that somebody asks for. Times are UTC microseconds, amounts minor units; accounts are bare addresses.
create table pay_request (
    id text not null primary key, -- as whoever asked has chosen it
    made bigint not null, -- when, and its place among all
    content bytea not null, -- SHA-256 of what was asked for
    maker text not null, -- who asked: the payee, or who made the split
    payee text not null,
    payer text not null,
    amount bigint not null,
    paid bigint not null,
    unit text not null,
    about text not null,
    expires bigint not null,
    partial boolean not null,
    state text not null,
    why text not null, -- why it was declined
    chat text not null, -- the group in which it is shown
    split text not null, -- of which it is a share
    series text not null, -- the recurring request of which it is one
    turn bigint not null, -- and which one, 0 for the first
    reminders bigint not null,
    reminded bigint not null,
    due bigint not null -- when its time is over, 0 if it was over before
);
create unique index pay_request_made on pay_request (made);
create index pay_request_payee on pay_request (payee, made);
create index pay_request_payer on pay_request (payer, made);
create index pay_request_maker on pay_request (maker, made);
create index pay_request_split on pay_request (split) where split <> '';
create index pay_request_series on pay_request (series, turn) where series <> '';
create index pay_request_due on pay_request (due) where due > 0;

-- Requests that come again. id is that of the first one, which the others are like.
create table pay_series (
    id text not null primary key,
    every text not null, -- day, week, month
    times bigint not null, -- how many there are in all
    done bigint not null, -- how many were made
    begun bigint not null,
    next bigint not null -- when the next one is made, 0 if there is none
);
create index pay_series_next on pay_series (next) where next > 0;

-- Bills of which each pays a part.
create table pay_split (
    id text not null primary key,
    made bigint not null,
    content bytea not null,
    maker text not null,
    payee text not null,
    within text not null, -- the group
    total bigint not null,
    unit text not null,
    about text not null,
    way text not null -- equal, shares, exact, items
);
create index pay_split_maker on pay_split (maker, made);
create index pay_split_payee on pay_split (payee, made);

create table pay_share (
    split text not null,
    place bigint not null,
    account text not null,
    amount bigint not null,
    parts bigint not null, -- 0 where the bill is not divided by parts
    items text not null, -- what it is made of, as JSON
    request text not null, -- empty for the payee's own
    primary key (split, place)
);
create index pay_share_account on pay_share (account, split);

-- What payers let payees take without asking each time.
create table pay_mandate (
    id text not null primary key, -- that of the intent
    made bigint not null,
    payer text not null,
    payee text not null,
    unit text not null,
    about text not null,
    amount bigint not null, -- at most, each time
    total bigint not null, -- at most, in a period
    period text not null, -- once, day, week, month
    until bigint not null,
    state text not null,
    due bigint not null -- when its time is over, 0 if it has ended
);
create index pay_mandate_payer on pay_mandate (payer, made);
create index pay_mandate_payee on pay_mandate (payee, made);
create index pay_mandate_due on pay_mandate (due) where due > 0;

-- What was taken by mandates.
create table pay_taken (
    id text not null primary key, -- that of the capture's intent
    mandate text not null,
    taken bigint not null, -- when
    amount bigint not null
);
create index pay_taken_mandate on pay_taken (mandate, taken);

-- Payments that a payer says were not right.
create table pay_dispute (
    id text not null primary key,
    made bigint not null,
    content bytea not null,
    payment text not null,
    payer text not null,
    payee text not null,
    amount bigint not null,
    refunded bigint not null, -- since it was opened
    unit text not null,
    why text not null,
    words text not null,
    state text not null,
    ended bigint not null, -- 0 while it is open
    decider text not null, -- which operators have decided
    decided text not null -- and what they said
);
create unique index pay_dispute_made on pay_dispute (made);
create index pay_dispute_payer on pay_dispute (payer, made);
create index pay_dispute_payee on pay_dispute (payee, made);
create index pay_dispute_state on pay_dispute (state, made);
create unique index pay_dispute_open on pay_dispute (payment) where state = 'open';

create table pay_evidence (
    id bigint not null primary key, -- when it was given
    dispute text not null,
    author text not null,
    hash text not null, -- SHA-256 of the file, hexadecimal
    address text not null, -- where the file is
    words text not null
);
create index pay_evidence_dispute on pay_evidence (dispute, id);
