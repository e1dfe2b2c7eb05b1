-- What groups are shown by.
create table group_picture (
    room bigint primary key,
    hash text not null, -- SHA-1 of the picture, hexadecimal
    type text not null, -- media type
    data text not null -- base64
);
