-- 0003 took every invitation of before for one of whoever has the machine. Who made it is not known any more: where it makes an administrator, it was another one, over the
-- wire. The invitation for the first of all is made anew whenever the server starts without an account.
update register_invite set desk = true where admin;
