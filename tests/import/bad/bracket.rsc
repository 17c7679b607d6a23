/ip dns static
add name=a.lan address=10.0.0.1 comment=[find
