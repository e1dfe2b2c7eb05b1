-- What was heard and not yet answered, in the order in which it came.
create table bank_inbox (
    number bigint not null primary key,
    customer text not null, -- bare address
    message text not null, -- the sender's id of it
    device text not null, -- the key that has sent it; '' for what came in clear
    body text not null,
    heard bigint not null -- UTC microseconds
);
create index bank_inbox_customer on bank_inbox (customer, number);

-- What was heard in the last days, so that what comes twice is answered once.
create table bank_heard (
    customer text not null,
    message text not null,
    heard bigint not null,
    primary key (customer, message)
);
create index bank_heard_time on bank_heard (heard);

-- How far the archive was read: one row.
create table bank_mark (
    one bigint not null primary key,
    entry text not null,
    kept bigint not null
);

-- What is remembered of a conversation.
create table bank_talk (
    customer text not null primary key,
    language text not null,
    wrong bigint not null, -- codes that were wrong since the last right one
    locked bigint not null, -- no code is taken before this time
    used bigint not null -- the step of the newest code that was taken
);

-- The keys that speak for a customer.
create table bank_device (
    customer text not null,
    device text not null,
    since bigint not null,
    first bigint not null, -- 1 for the first one of a customer
    primary key (customer, device)
);

-- What was asked to be sent.
create table bank_order (
    id text not null primary key,
    customer text not null,
    device text not null,
    state text not null, -- asked, confirmed, done, refused, dropped
    payee text not null,
    name text not null,
    amount bigint not null, -- minor units
    unit text not null,
    exponent bigint not null,
    about text not null,
    coded bigint not null, -- 1 if it needs a code
    wrong bigint not null, -- codes that were wrong for it
    asked bigint not null,
    expires bigint not null,
    tries bigint not null,
    due bigint not null, -- when it is asked about next
    told bigint not null -- 1 when the customer was told that it is not known yet
);
create index bank_order_customer on bank_order (customer, state);
create index bank_order_due on bank_order (state, due);

-- What is to be said, until the server has it.
create table bank_outbox (
    number bigint not null primary key,
    id text not null,
    customer text not null,
    clear bigint not null,
    body text not null,
    tries bigint not null,
    due bigint not null,
    made bigint not null
);
