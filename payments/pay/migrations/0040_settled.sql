-- Whether the payer of a share has agreed that it is set against what others owe them in the group.
alter table pay_request add column agreed boolean not null default false;
create index pay_split_within on pay_split (within) where within <> '';

-- What was paid to settle up in a group, beyond shares of the one who paid to the one who was paid. Amounts are minor units.
create table pay_settled (
    id text not null primary key, -- that of the payment
    within text not null, -- the group
    unit text not null,
    payer text not null,
    payee text not null,
    amount bigint not null,
    closed boolean not null -- all that it was set against is settled
);
create index pay_settled_within on pay_settled (within, unit) where not closed;
