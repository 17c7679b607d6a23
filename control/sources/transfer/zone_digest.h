// The digest of a zone (ZONEMD, RFC 8976): scheme SIMPLE with SHA-384 or SHA-512.
//
// It shows that the zone is complete, and as its publisher made it. Without DNSSEC it finds
// mistakes, not forgery. Cost: one pass over the zone.
#pragma once

#include <string>

#include "control/sources/transfer/zone_contents.h"

namespace steer::transfer {

enum class DigestResult : std::uint8_t {
    right,
    none,         // no ZONEMD at the apex
    not_checked,  // none of a scheme and algorithm that is known, or several of one
    wrong,
};
struct DigestCheck {
    DigestResult result = DigestResult::none;
    std::string why;  // unless right
};

DigestCheck check_digest(const ZoneContents& zone);

}  // namespace steer::transfer
