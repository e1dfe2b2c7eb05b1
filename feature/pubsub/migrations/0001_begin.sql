-- One row for each node of an account. settings is the node's configuration, as JSON.
create table pubsub_node (
    id bigint primary key, -- the order and time (UTC microseconds) of creation
    account bigint not null,
    name text not null,
    settings text not null
);
create unique index pubsub_node_name on pubsub_node (account, name);

-- The items of a node. id is the order and the time of the last publication.
create table pubsub_item (
    node bigint not null,
    name text not null,
    id bigint not null,
    publisher text not null,
    payload text not null,
    size bigint not null, -- bytes counted against the account's quota
    primary key (node, name)
);
create unique index pubsub_item_id on pubsub_item (node, id);

-- Who stands how with a node, beside its owner.
create table pubsub_affiliation (
    node bigint not null,
    jid text not null,
    affiliation text not null,
    primary key (node, jid)
);

-- Who has subscribed explicitly.
create table pubsub_subscription (
    node bigint not null,
    jid text not null,
    id text not null,
    primary key (node, jid)
);

-- What an account uses.
create table pubsub_usage (
    account bigint primary key,
    nodes bigint not null,
    bytes bigint not null
);
