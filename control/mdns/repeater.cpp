#include "control/mdns/repeater.h"

#include <algorithm>
#include <utility>

#include "control/mdns/message_writer.h"

namespace steer::mdns {
namespace {

bool is_on_link(const Link& link, const IpAddress& source) {
    if (source.is_link_local()) return true;
    if (source.is_v4() && source.v4()[0] == 169 && source.v4()[1] == 254) return true;  // RFC 3927
    return std::any_of(link.networks.begin(), link.networks.end(), [&](const auto& network) {
        return network.address == matchers::Prefix::masked(source, network.length).address &&
               network.address.is_v4() == source.is_v4();
    });
}

// Unchanged, except for the ID and the request for a unicast answer, which are never repeated.
std::vector<std::uint8_t> as_received(std::span<const std::uint8_t> packet,
                                      const Message& message) {
    std::vector<std::uint8_t> bytes(packet.begin(), packet.end());
    dns::store_be16(bytes.data(), 0);
    if (message.is_response()) return bytes;
    for (const Question& q : message.questions)
        bytes[q.class_at] &= 0x7f;
    return bytes;
}

std::vector<std::uint8_t> what_is_left(const Message& message) {
    MessageWriter writer(0, message.flags);
    for (const Question& q : message.questions) {
        const auto klass =
            message.is_response() ? q.klass : static_cast<std::uint16_t>(q.klass & ~kTopBit);
        writer.question(q.name, q.type, klass);
    }
    for (const Record& r : message.records)
        writer.record(r);
    return writer.take();
}

std::vector<std::uint8_t> plain_query(const Question& question) {
    MessageWriter writer(0, 0);
    writer.question(question.name, question.type,
                    static_cast<std::uint16_t>(question.klass & ~kTopBit));
    return writer.take();
}

}  // namespace

void Repeater::set_services(Services services) {
    if (services != filter_.services()) filter_ = PacketFilter(std::move(services));
}

void Repeater::set_links(std::vector<Link> links, std::vector<IpAddress> own_addresses,
                         std::uint64_t now_ms) {
    std::vector<Known> known;
    for (Link& link : links) {
        const Known* const before = find(link.if_index);
        const PacketBudget budget = before != nullptr ? before->budget : PacketBudget(now_ms);
        MdnsCounters& counters = counters_[link.name];
        known.push_back({std::move(link), &counters, budget});
    }
    links_ = std::move(known);
    own_ = std::move(own_addresses);
    std::sort(own_.begin(), own_.end());
    hosts_.keep_links([this](const std::string& name) {
        return std::any_of(links_.begin(), links_.end(),
                           [&](const Known& k) { return k.link.name == name; });
    });
}

Repeater::Known* Repeater::find(int if_index) {
    const auto it = std::find_if(links_.begin(), links_.end(),
                                 [&](const Known& k) { return k.link.if_index == if_index; });
    return it == links_.end() ? nullptr : &*it;
}

void Repeater::receive(const Arrival& arrival, std::uint64_t now_ms) {
    Known* const from = find(arrival.if_index);
    if (from == nullptr) return;
    from->counters->add(MdnsCount::received);
    MdnsCount end = judge(*from, arrival, now_ms);
    if (end == MdnsCount::received) end = repeat(*from, arrival, now_ms);
    from->counters->add(end);
}

MdnsCount Repeater::judge(Known& from, const Arrival& arrival, std::uint64_t now_ms) {
    if (std::binary_search(own_.begin(), own_.end(), arrival.source)) return MdnsCount::own;
    if (!is_on_link(from.link, arrival.source)) return MdnsCount::off_link;
    if (arrival.port == kPort && arrival.hop_limit != kHopLimit) return MdnsCount::hop_limit;
    if (arrival.cut || arrival.bytes.size() > kMaxMessageBytes) return MdnsCount::too_large;
    if (!from.budget.take(arrival.source, now_ms)) return MdnsCount::over_budget;
    return arrival.port == 0 ? MdnsCount::malformed : MdnsCount::received;
}

MdnsCount Repeater::repeat(Known& from, const Arrival& arrival, std::uint64_t now_ms) {
    auto message = read_message(arrival.bytes);
    if (!message) return MdnsCount::malformed;
    if (arrival.port != kPort) return repeat_legacy(from, arrival, *message, now_ms);
    hosts_.learn(from.link.name, arrival.source, *message, now_ms);
    const Kept kept = filter_.prune(*message, now_ms);
    if (kept == Kept::nothing) return MdnsCount::filtered;
    const auto bytes =
        kept == Kept::all ? as_received(arrival.bytes, *message) : what_is_left(*message);
    if (bytes.size() > kMaxMessageBytes) return MdnsCount::too_large;
    if (!recent_.is_new(bytes, arrival.if_index, arrival.source, now_ms))
        return MdnsCount::duplicates;
    if (kept == Kept::some) from.counters->add(MdnsCount::pruned);
    send(from, !arrival.source.is_v4(), bytes);
    if (message->is_response()) answer_askers(*message, arrival.if_index, now_ms);
    return MdnsCount::repeated;
}

// Its OPT and known answers are left out: a question is all that is asked in its place.
MdnsCount Repeater::repeat_legacy(Known& from, const Arrival& arrival, Message& query,
                                  std::uint64_t now_ms) {
    if (query.is_response() || query.questions.size() != 1) return MdnsCount::malformed;
    if (filter_.prune(query, now_ms) == Kept::nothing) return MdnsCount::filtered;
    if (!legacy_.remember({arrival.if_index, arrival.source, arrival.port}, query, now_ms))
        return MdnsCount::legacy_refused;
    const auto bytes = plain_query(query.questions.front());
    if (!recent_.is_new(bytes, arrival.if_index, arrival.source, now_ms))
        return MdnsCount::duplicates;
    send(from, !arrival.source.is_v4(), bytes);
    return MdnsCount::legacy_repeated;
}

void Repeater::send(const Known& from, bool v6, std::span<const std::uint8_t> bytes) {
    for (const Known& to : links_) {
        if (&to == &from || !(v6 ? to.link.v6 : to.link.v4)) continue;
        const bool done = outlet_.send(to.link.if_index, v6, bytes);
        to.counters->add(done ? MdnsCount::sent : MdnsCount::not_sent);
    }
}

void Repeater::answer_askers(const Message& response, int if_index, std::uint64_t now_ms) {
    legacy_.answer(response, if_index, now_ms, [this](const LegacyQuerier& querier, auto bytes) {
        const Known* const to = find(querier.if_index);
        if (to == nullptr) return;
        const bool done = outlet_.send_to(querier, bytes);
        to->counters->add(done ? MdnsCount::unicast_sent : MdnsCount::not_sent);
    });
}

}  // namespace steer::mdns
