/ip dns static
:do { add name=a.example type=FWD address-list=far match-subdomain=yes forward-to=localhost } on-error={}
:do { add name=b.example type=FWD address-list=far match-subdomain=yes forward-to=localhost } on-error={}
:if ([:len [find name="c.example"]] = 0) do={ add name=c.example type=FWD address-list=far forward-to=ns.corp.example }
/ip dns static add name=d.example type=FWD address-list=far forward-to=localhost
:foreach i in=[find comment="old"] do={ remove $i }
