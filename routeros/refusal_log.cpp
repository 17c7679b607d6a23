#include "routeros/refusal_log.h"

#include <utility>

#include "matchers/suffix/public_suffixes.h"

namespace steer::routeros {

namespace {

constexpr std::uint64_t kPauseMs = 60'000;

std::string number_of(const ClaimBounds& bounds, ShareKind kind) {
    return " (" + std::to_string(bounds.of(kind)) + ")";
}

}  // namespace

std::string RefusalLog::refused(ClaimRefusal why, const Origin& origin, const ClaimBounds& bounds,
                                const ListText& text, std::uint64_t now_ms) {
    ++count_;
    if (now_ms < next_ms_) return {};
    next_ms_ = now_ms + kPauseMs;
    const std::string total = std::to_string(bounds.total) + " " + std::string(text.things);
    const std::string of = " of the " + total + " of " + text.list;
    const std::string more = ": more are refused; raise ", wanted = " if they are wanted";
    const std::string maximum(text.maximum);
    const std::string client =
        origin.client ? Address::host(*origin.client).to_string() : std::string{"a forwarder"};
    const std::string domain(matchers::PublicSuffixes::current().domain_of(origin.name));
    std::string sentence;
    switch (why) {
        case ClaimRefusal::list:
            sentence = text.list + " has its " + total + more + maximum;
            break;
        case ClaimRefusal::name:
            sentence = std::string(origin.name) + " has its share" + of +
                       number_of(bounds, ShareKind::name) + more + "max_per_name" + wanted;
            break;
        case ClaimRefusal::suffix:
            sentence = "names below " + domain + " have their share" + of +
                       number_of(bounds, ShareKind::suffix) + more + "max_per_suffix" + wanted;
            break;
        case ClaimRefusal::platform:
            sentence = "domains under the public suffix of " + domain + " have their share" + of +
                       " (half)" + more + maximum + wanted;
            break;
        case ClaimRefusal::below:
        case ClaimRefusal::below2:
            sentence =
                "a part of " + domain + " has its share" + of + more + "max_per_suffix" + wanted;
            break;
        case ClaimRefusal::client:
            sentence = "client " + client + " has its share" + of +
                       number_of(bounds, ShareKind::client) + more +
                       "max_per_client, or write it as one of trusted_forwarders";
            break;
    }
    return sentence + " (" + std::to_string(std::exchange(count_, 0)) + " refused, the last for " +
           std::string(origin.name) + " asked by " + client + ")";
}

}  // namespace steer::routeros
