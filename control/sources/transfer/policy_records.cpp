#include "control/sources/transfer/policy_records.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "control/sources/transfer/wire_bytes.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/wire.h"
#include "matchers/list/rpz_zone.h"

namespace steer::transfer {
namespace {

using config::RpzAction;
using Kind = PolicyTrigger::Kind;

// Types of a signed zone.
constexpr std::array<std::uint16_t, 8> kNoPolicy{dns::kRrsig,         dns::kNsec,   dns::kNsec3,
                                                 51 /* NSEC3PARAM */, dns::kDnskey, 59 /* CDS */,
                                                 60 /* CDNSKEY */,    dns::kZonemd};

// The names that stand for actions.
struct ActionName {
    std::string_view target;  // without a last dot
    RpzAction::Does does;
};
constexpr std::array<ActionName, 5> kActions{{{".", RpzAction::Does::nxdomain},
                                              {"*", RpzAction::Does::nodata},
                                              {"rpz-passthru", RpzAction::Does::passthru},
                                              {"rpz-drop", RpzAction::Does::drop},
                                              {"rpz-tcp-only", RpzAction::Does::tcp_only}}};

// The last label before the root; `name` is not the root.
ByteSpan last_label(ByteSpan name) {
    ByteSpan last = name;
    while (name[0] != 0) {
        last = name;
        name = name.subspan(name[0] + 1U);
    }
    return last;
}

bool is_label(ByteSpan label, std::string_view text) {
    return label.size() == text.size() + 2 && label[0] == text.size() &&
           is_text(label.subspan(1, text.size()), text);
}

Result<PolicyTrigger> prefix_trigger(ByteSpan name, ByteSpan last, Kind kind) {
    Bytes front(name.begin(), name.end() - static_cast<std::ptrdiff_t>(last.size()));
    front.push_back(0);
    const auto prefix = matchers::parse_rpz_prefix(dns::name_to_text(front));
    if (!prefix) return prefix.error();
    PolicyTrigger out;
    out.kind = kind;
    out.prefix = prefix->prefix;
    out.is_v4 = prefix->is_v4;
    return out;
}

Error refused(ByteSpan owner, const std::string& why) {
    return Error{dns::name_to_text(owner) + ": " + why};
}

Result<RpzAction> cname_action(ByteSpan owner, const ZoneRecord& record, ByteSpan zone) {
    RpzAction out;
    out.ttl_s = record.ttl_s;
    const ByteSpan target = record.rdata;
    const std::string text = dns::name_to_text(target);
    for (const ActionName& action : kActions) {
        if (text != action.target) continue;
        out.does = action.does;
        return out;
    }
    if (last_label(target).size() == target.size() && text.starts_with("rpz-"))
        return refused(owner, "CNAME " + text + " is not an action");
    const Bytes below = below_zone(owner, zone);
    if (!is_wildcard(below) && std::ranges::equal(target, below)) {  // the old form of passthru
        out.does = RpzAction::Does::passthru;
        return out;
    }
    if (is_in_zone(target, zone)) return refused(owner, "the target of its CNAME is in the zone");
    const bool is_below = is_wildcard(target);
    out.does = is_below ? RpzAction::Does::alias_below : RpzAction::Does::alias;
    const ByteSpan name = is_below ? parent_of(target) : target;
    out.target.assign(name.begin(), name.end());
    return out;
}

}  // namespace

bool is_policy_type(std::uint16_t type) {
    return std::ranges::find(kNoPolicy, type) == kNoPolicy.end();
}

Result<PolicyTrigger> policy_trigger(ByteSpan owner, ByteSpan zone) {
    PolicyTrigger out;
    if (owner.size() == zone.size()) return out;
    const Bytes name = below_zone(owner, zone);
    const ByteSpan last = last_label(name);
    if (is_label(last, "rpz-client-ip")) return prefix_trigger(name, last, Kind::client);
    if (is_label(last, "rpz-ip")) return prefix_trigger(name, last, Kind::address);
    if (is_label(last, "rpz-nsdname") || is_label(last, "rpz-nsip"))
        return refused(owner, "name server triggers (rpz-nsdname, rpz-nsip) are not supported");
    constexpr std::string_view kReserved = "rpz-";
    if (last.size() > kReserved.size() + 1 && is_text(last.subspan(1, kReserved.size()), kReserved))
        return refused(owner, "its last label is not a known trigger");
    out.kind = is_wildcard(name) ? Kind::below : Kind::name;
    const ByteSpan of = is_wildcard(name) ? parent_of(name) : ByteSpan(name);
    out.name.assign(of.begin(), of.end());
    return out;
}

Result<RpzAction> policy_action_of(ByteSpan owner, OwnerRecords records, ByteSpan zone) {
    std::optional<ZoneRecord> cname;
    RpzAction out;
    out.does = RpzAction::Does::records;
    records.for_each([&](const ZoneRecord& record) {
        if (!is_policy_type(record.type)) return;
        if (record.type == dns::kCname) {
            cname = record;
            return;
        }
        if (out.records.empty()) out.ttl_s = record.ttl_s;
        out.records.push_back(
            {record.type, dns::kIn, record.ttl_s, {record.rdata.begin(), record.rdata.end()}});
    });
    if (cname) {
        if (!out.records.empty()) return refused(owner, "a CNAME beside other records");
        return cname_action(owner, *cname, zone);
    }
    for (const config::KnownRecord& record : out.records) {
        const bool is_delegation = record.type == dns::kNs || record.type == dns::kDs ||
                                   record.type == dns::kDname || record.type == dns::kSoa;
        if (is_delegation)
            return refused(owner,
                           "a record of type " + std::to_string(record.type) + " is not a policy");
        if (record.type == 0 || record.type == dns::kOpt ||
            (record.type >= 249 && record.type <= 255))
            return refused(owner, "type " + std::to_string(record.type) + " is no record type");
    }
    return out;
}

}  // namespace steer::transfer
