#include "dataplane/dns/rdata.h"

#include "dataplane/dns/wire.h"

namespace steer::dns {

RdataLayout rdata_layout(std::uint16_t type) noexcept {
    using enum NameRule;
    switch (type) {
        case kNs:
        case 3:  // MD
        case 4:  // MF
        case kCname:
        case 7:  // MB
        case 8:  // MG
        case 9:  // MR
        case kPtr:
            return {compress, 0, 0, 1, 0};
        case kSoa:
            return {compress, 0, 0, 2, 20};
        case 14:  // MINFO
            return {compress, 0, 0, 2, 0};
        case kMx:
            return {compress, 2, 0, 1, 0};
        case kDname:
            return {decompress, 0, 0, 1, 0};
        case 17:  // RP
            return {decompress, 0, 0, 2, 0};
        case 18:  // AFSDB
        case 21:  // RT
        case 36:  // KX
            return {decompress, 2, 0, 1, 0};
        case 24:  // SIG
            return {decompress, 18, 0, 1, -1};
        case 26:  // PX
            return {decompress, 2, 0, 2, 0};
        case 30:  // NXT
            return {decompress, 0, 0, 1, -1};
        case kSrv:
            return {decompress, 6, 0, 1, 0};
        case 35:  // NAPTR
            return {decompress, 4, 3, 1, 0};
        case kRrsig:
            return {whole, 18, 0, 1, -1};
        case kNsec:
            return {whole, 0, 0, 1, -1};
        case kSvcb:
        case kHttps:
            return {whole, 2, 0, 1, -1};
        default:
            return {};
    }
}

}  // namespace steer::dns
