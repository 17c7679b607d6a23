// DHCP leases of routers, as a part of the daemon.
#include "control/sources/leases/leases_part.h"

#include "control/parts.h"

namespace steer {

Parts::Maker leases_part() {
    return Parts::maker<LeasesPart>();
}

}  // namespace steer
