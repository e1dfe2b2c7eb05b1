create table blocking_item (
    account bigint not null,
    jid text not null,
    primary key (account, jid)
);

-- What people report about those they block (XEP-0377), for the operator.
create table blocking_report (
    id bigint primary key, -- also when, in microseconds
    account bigint not null,
    jid text not null, -- who was reported
    reason text not null,
    words text not null,
    stanza_ids text not null -- a JSON list of [by, id]
);
