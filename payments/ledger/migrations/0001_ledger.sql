-- The journal. Rows are never changed and never deleted. id is the order and the time (UTC microseconds); each row moves an amount from the debited account to
-- the credited one, or says something about an account or a hold, and has what both accounts stood at afterwards.
create table ledger_record (
    id bigint primary key,
    key text not null, -- the id that the caller chose
    kind bigint not null,
    reason bigint not null, -- why it was refused, 0 if it was not
    debit bigint not null, -- the account that pays, 0 for none
    debit_balance bigint not null, -- afterwards, in minor units
    debit_held bigint not null,
    credit bigint not null, -- the account that is paid, 0 for none
    credit_balance bigint not null,
    credit_held bigint not null,
    amount bigint not null, -- in minor units
    target bigint not null, -- the record that it ends or reverses, 0 for none
    expires bigint not null, -- of a hold, UTC microseconds
    about text not null,
    data bytea not null,
    content bytea not null, -- SHA-256 of what the caller asked for
    hash bytea not null -- SHA-256 of this row and of the hash before it
);
create unique index ledger_record_key on ledger_record (key);
create index ledger_record_debit on ledger_record (debit, id) where debit > 0;
create index ledger_record_credit on ledger_record (credit, id) where credit > 0;
create index ledger_record_target on ledger_record (target) where target > 0;
create index ledger_record_expires on ledger_record (expires) where expires > 0;

-- Accounts; id is that of the record that opened it.
create table ledger_account (
    id bigint primary key,
    name text not null,
    unit text not null
);
create unique index ledger_account_name on ledger_account (name);

-- What holds for an account from a record on.
create table ledger_setting (
    record bigint primary key,
    account bigint not null,
    floor bigint not null, -- its balance does not go below, in minor units
    state bigint not null
);
create index ledger_setting_account on ledger_setting (account, record);

-- Units that were used, so that none changes its meaning.
create table ledger_unit (
    code text primary key,
    exponent bigint not null -- digits after the decimal sign
);
