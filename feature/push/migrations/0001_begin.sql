-- One row for each device that wants to be woken. For an app server (XEP-0357) service is its address and node and options are what
-- the app gave; for a browser service is the push endpoint, node is empty and options are its keys. resource is the session that asked.
create table push_device (
    account bigint not null,
    service text not null,
    node text not null,
    web boolean not null,
    options text not null,
    resource text not null,
    created bigint not null,
    primary key (account, service, node)
);

-- The server's own key for browsers (RFC 8292): one row.
create table push_key (
    id bigint not null primary key,
    public text not null,
    private text not null
);
