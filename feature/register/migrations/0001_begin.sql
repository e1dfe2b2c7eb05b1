create table register_invite (
    id bigint primary key,
    token bytea not null unique, -- SHA-256 of it
    inviter bigint not null, -- an account, or 0 for the operator
    inviter_name text not null, -- its local part, or empty
    befriend boolean not null, -- inviter and invited become contacts
    account boolean not null, -- lets make an account
    name text not null, -- the only name that it is good for, or empty
    admin boolean not null,
    uses bigint not null, -- left
    expires bigint not null
);

create index register_invite_inviter on register_invite (inviter, id);
