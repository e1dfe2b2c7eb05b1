-- A channel. settings is its configuration, as JSON; mark is why the operator vouches for it.
create table channel_node (
    id bigint primary key, -- the order and time (UTC microseconds) of creation, and the number of its log
    name text not null, -- of its node
    maker bigint not null, -- the account that made it, 0 when that is closed
    settings text not null,
    mark text not null, -- '' for none
    marked bigint not null, -- when it was given, UTC microseconds
    deleted bigint not null -- when it was deleted, 0 while it lives
);
create unique index channel_node_name on channel_node (name);
create index channel_node_maker on channel_node (maker, id);

-- Names of deleted channels, which nobody gets again.
create table channel_gone (
    hash text primary key -- SHA-256 of the name, hexadecimal
);

-- Who stands how with a channel; who is not here stands in no way.
create table channel_person (
    channel bigint not null,
    jid text not null, -- bare
    affiliation bigint not null,
    since bigint not null,
    primary key (channel, jid)
);
create index channel_person_jid on channel_person (jid);

-- Who follows. Nobody is shown this list.
create table channel_follower (
    channel bigint not null,
    account bigint not null,
    jid text not null, -- bare
    segments text not null, -- those that were chosen, with commas between them; '' for all
    primary key (channel, account)
);
create index channel_follower_account on channel_follower (account);

-- The log of all channels. id is the order and time (UTC microseconds); after is the id of the entry before it in its channel, 0 for the first.
create table channel_entry (
    id bigint primary key,
    channel bigint not null,
    after bigint not null,
    kind bigint not null,
    item text not null, -- the id of what was published; '' for a change of the channel
    author text not null, -- bare address
    segments text not null, -- whom it is for; '' for everybody
    payload text not null
);
create index channel_entry_channel on channel_entry (channel, id);
create index channel_entry_item on channel_entry (channel, item);
