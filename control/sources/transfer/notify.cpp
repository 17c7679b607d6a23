#include "control/sources/transfer/notify.h"

#include <algorithm>
#include <utility>

#include "control/sources/transfer/tsig.h"
#include "dataplane/dns/name.h"
#include "dataplane/dns/wire.h"

namespace steer::transfer {
namespace {

constexpr std::uint16_t kNotAuth = 9;

// The name of its question; empty: it is no NOTIFY about a SOA.
Bytes zone_of(ByteSpan message) {
    if (message.size() < dns::kHeaderSize) return {};
    const unsigned flags = dns::load_be16(&message[2]);
    if ((flags & (dns::kQr | dns::kOpcodeMask)) != dns::kOpcodeNotify) return {};
    if (dns::load_be16(&message[4]) != 1) return {};
    const ByteSpan question = message.subspan(dns::kHeaderSize);
    const std::size_t length = dns::plain_name_length(question);
    if (length == 0 || length + dns::kTypeAndClass > question.size()) return {};
    if (dns::load_be16(&question[length]) != dns::kSoa ||
        dns::load_be16(&question[length + 2]) != dns::kIn)
        return {};
    Bytes name(question.begin(), question.begin() + static_cast<std::ptrdiff_t>(length));
    lower_name(name);
    return name;
}

// Header and question of the response.
Bytes response_to(ByteSpan message, std::size_t name_length, std::uint16_t rcode) {
    const std::size_t end = dns::kHeaderSize + name_length + dns::kTypeAndClass;
    Bytes out(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(end));
    std::fill(out.begin() + 2, out.begin() + dns::kHeaderSize, std::uint8_t{0});
    dns::store_be16(&out[2],
                    static_cast<std::uint16_t>(dns::kQr | dns::kAa | dns::kOpcodeNotify | rcode));
    dns::store_be16(&out[4], 1);
    return out;
}

}  // namespace

void NotifyBook::set(std::vector<Zone> zones) {
    auto fresh = std::make_shared<const std::vector<Zone>>(std::move(zones));
    const std::lock_guard lock(mutex_);
    zones_ = std::move(fresh);
}

std::string NotifyBook::take_refusal() {
    const std::lock_guard lock(mutex_);
    return std::exchange(last_refusal_, {});
}

NotifyBook::Zones NotifyBook::zones() const {
    const std::lock_guard lock(mutex_);
    return zones_;
}

void NotifyBook::begun(const std::string& tag) {
    for (const Zone& zone : *zones()) {
        if (zone.tag == tag) zone.state->is_reported = false;
    }
}

void NotifyBook::accept(const Zone& zone, const IpAddress& from) {
    if (!zone.state->is_reported.exchange(true)) notified_(zone.tag, from);
}

// Two threads at the border of a second may verify some more.
bool NotifyBook::may_verify(VerifyCount& verified) const {
    const std::uint64_t second = now_s_();
    if (verified.second_s.exchange(second) != second) verified.count = 0;
    return ++verified.count <= kMostSigned;
}

NotifyBook::Answer NotifyBook::answer_signed(const Zone& zone, const IpAddress& from,
                                             ClientTransport transport, ByteSpan message) {
    VerifyCount& verified =
        transport == ClientTransport::udp ? zone.state->datagrams : zone.state->connections;
    if (is_signed_with(message, *zone.key) && !may_verify(verified))
        return {NotifyResult::too_many, response_to(message, zone.name.size(), dns::kServFail), {}};
    const QueryCheck check = verify_query(message, *zone.key, now_s_());
    std::uint16_t rcode = kNotAuth;
    if (check.is_good) rcode = dns::kNoError;
    if (check.is_malformed) rcode = dns::kFormErr;
    Answer out{check.is_good ? NotifyResult::accepted : NotifyResult::bad_signature,
               response_to(message, zone.name.size(), rcode),
               {}};
    if (check.tsig) sign_response(out.response, *zone.key, check, now_s_());
    if (check.is_good) {
        accept(zone, from);
    } else {
        out.refusal = "a NOTIFY for secondary '" + zone.tag + "' from " + from.to_string() +
                      " was refused: " + check.why +
                      "; if this is a primary, compare its key and its clock";
    }
    return out;
}

// Several secondaries may have the same zone, with different keys: each that accepts is checked.
Bytes NotifyBook::answer(const IpAddress& from, ClientTransport transport, ByteSpan message) {
    const Bytes name = zone_of(message);
    if (name.empty()) return {};
    Answer best;
    for (const Zone& zone : *zones()) {
        if (zone.name != name || !zone.senders.contains(from)) continue;
        Answer one;
        if (zone.key) {
            one = answer_signed(zone, from, transport, message);
        } else {
            accept(zone, from);
            one = {NotifyResult::accepted, response_to(message, name.size(), dns::kNoError), {}};
        }
        if (best.result != NotifyResult::accepted) best = std::move(one);
    }
    counts_[static_cast<std::size_t>(best.result)].fetch_add(1, std::memory_order_relaxed);
    if (!best.refusal.empty()) {
        const std::lock_guard lock(mutex_);
        last_refusal_ = std::move(best.refusal);
    }
    return std::move(best.response);
}

}  // namespace steer::transfer
