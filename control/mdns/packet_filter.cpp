#include "control/mdns/packet_filter.h"

#include <set>

namespace steer::mdns {
namespace {

bool is_link_local_address(const Record& record) {
    if ((record.klass & ~kTopBit) != dns::kIn) return false;
    if (record.type == dns::kA) return record.rdata[0] == 169 && record.rdata[1] == 254;
    return record.type == dns::kAaaa && record.rdata[0] == 0xfe && (record.rdata[1] & 0xc0) == 0x80;
}

// The name that it points to, if its type has one.
std::string target_of(const Record& record, std::uint16_t type) {
    return record.type == type && record.names.size() == 1 ? key_of(record.names[0])
                                                           : std::string{};
}

// Names of the authority section without a remaining record.
std::set<std::string> refused_names(const std::set<std::string>& proposed, const Message& pruned) {
    std::set<std::string> refused = proposed;
    for (const Record& record : pruned.records) {
        if (record.section == Section::authority) refused.erase(record.key);
    }
    return refused;
}

}  // namespace

void PacketFilter::learn_hosts(const Message& message, std::uint64_t now_ms) {
    for (const Record& record : message.records) {
        if (record.type != dns::kSrv || record.ttl_s == 0) continue;
        const NameMeaning owner = meaning_of(record.key);
        if (owner.kind == NameKind::service && services_.has(owner.service))
            (void)hosts_.learn(target_of(record, dns::kSrv), record.ttl_s, now_ms);
    }
}

bool PacketFilter::passes(const Record& record, std::uint64_t now_ms) const {
    if (is_link_local_address(record)) return false;
    if (services_.all() || record.type == dns::kOpt) return true;
    const NameMeaning owner = meaning_of(record.key);
    switch (owner.kind) {
        case NameKind::service:
            return services_.has(owner.service);
        case NameKind::enumeration: {
            const std::string target = target_of(record, dns::kPtr);
            return services_.has(meaning_of(target).service);
        }
        case NameKind::reverse:
            return hosts_.knows(target_of(record, dns::kPtr), now_ms);
        case NameKind::host:
            break;
    }
    return hosts_.knows(record.key, now_ms);
}

bool PacketFilter::passes(const Question& question, std::uint64_t now_ms) const {
    if (services_.all()) return true;
    const NameMeaning asked = meaning_of(question.key);
    switch (asked.kind) {
        case NameKind::service:
            return services_.has(asked.service);
        case NameKind::enumeration:
        case NameKind::reverse:
            return true;
        case NameKind::host:
            break;
    }
    return hosts_.knows(question.key, now_ms);
}

bool PacketFilter::prune_records(Message& message, std::uint64_t now_ms) const {
    return std::erase_if(message.records, [&](const Record& r) { return !passes(r, now_ms); }) != 0;
}

bool PacketFilter::prune_questions(Message& message, const std::set<std::string>& refused,
                                   std::uint64_t now_ms) const {
    return std::erase_if(message.questions, [&](const Question& q) {
               return refused.contains(q.key) || !passes(q, now_ms);
           }) != 0;
}

Kept PacketFilter::prune(Message& message, std::uint64_t now_ms) {
    if (!services_.all()) learn_hosts(message, now_ms);
    std::set<std::string> proposed;
    for (const Record& record : message.records) {
        if (record.section == Section::authority && !message.is_response())
            proposed.insert(record.key);
    }
    const bool had_questions = !message.questions.empty();
    bool pruned = prune_records(message, now_ms);
    pruned |= prune_questions(message, refused_names(proposed, message), now_ms);
    const bool says_something = !message.questions.empty() || message.count(Section::answer) != 0 ||
                                message.count(Section::authority) != 0;
    if (!says_something || (had_questions && !message.is_response() && message.questions.empty()))
        return Kept::nothing;
    return pruned ? Kept::some : Kept::all;
}

}  // namespace steer::mdns
