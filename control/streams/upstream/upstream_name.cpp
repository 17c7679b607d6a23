#include "control/streams/upstream/upstream_name.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <chrono>
#include <utility>

#include "control/host/resolver/stub_resolver.h"
#include "control/streams/upstream/upstream_socket.h"

namespace steer::stream {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kShortestS = 10, kLongestS = 24 * 60 * 60;
constexpr std::uint64_t kAgainMs = 5'000;  // after a failure, if there are old addresses
constexpr auto kPatience = 4s;

std::vector<resolver::Resolver> resolvers_of(const StreamContext& context,
                                             const UpstreamName::Question& question) {
    if (question.bootstrap) return {{question.bootstrap->address, question.bootstrap->port}};
    auto all = resolver::system_resolvers();
    std::erase_if(all, [&](const resolver::Resolver& r) {
        return context.listening.contains({r.address, r.port});
    });
    return all;
}

resolver::AskOptions options_of(StreamContext& context, const UpstreamName::Question& question) {
    resolver::AskOptions options;
    options.v4 = question.family != AddressFamily::v6;
    options.v6 = question.family != AddressFamily::v4;
    options.patience = {700ms, 700ms};
    const bool has_own = question.bootstrap && !question.bootstrap->device.empty();
    const std::string& device = has_own ? question.bootstrap->device : question.device;
    options.prepare = [&context, mark = question.mark, device](int socket, const IpAddress& to) {
        return prepare_socket(context, socket, to, mark, device) == 0;
    };
    return options;
}

}  // namespace

UpstreamName::UpstreamName(StreamContext& context, Question question, std::function<void()> on_end)
    : context_(context), question_(std::move(question)), on_end_(std::move(on_end)) {
    if (const auto literal = IpAddress::parse(question_.name)) {
        addresses_ = {*literal};
        good_until_ms_ = UINT64_MAX;
    }
}

bool UpstreamName::need() {
    const std::uint64_t now = context_.now_ms();
    if (!resolving_ && now >= good_until_ms_ && now >= not_before_ms_) resolve();
    return resolving_;
}

void UpstreamName::resolve() {
    const auto resolvers = resolvers_of(context_, question_);
    resolving_ = true;
    boost::asio::co_spawn(
        context_.io,
        resolver::ask(question_.name, resolvers, std::chrono::steady_clock::now() + kPatience,
                      options_of(context_, question_)),
        [self = shared_from_this(), serial = ++serial_, none = resolvers.empty()](
            const std::exception_ptr& thrown, const resolver::Addresses& answer) {
            if (serial != self->serial_ || self->on_end_ == nullptr) return;
            self->resolving_ = false;
            self->take(answer.found, !thrown && answer.answered, answer.ttl_s);
            if (none) {
                self->error_ = "no resolver is known for the address of " + self->question_.name +
                               ": name a 'bootstrap', or another resolver than this daemon in "
                               "/etc/resolv.conf";
            }
            self->on_end_();
        });
}

void UpstreamName::take(const std::vector<IpAddress>& found, bool answered, std::uint32_t ttl_s) {
    const std::uint64_t now = context_.now_ms();
    context_.count(answered ? StreamCount::upstream_names_found : StreamCount::upstream_names_lost);
    if (found.empty()) {
        error_ = answered ? "there is no address of " + question_.name
                          : "the address of " + question_.name +
                                " could not be looked up: no resolver answers";
        not_before_ms_ = addresses_.empty() ? 0 : now + kAgainMs;
        return;
    }
    error_.clear();
    good_until_ms_ = now + std::uint64_t{1000} * std::clamp(ttl_s, kShortestS, kLongestS);
    // The working address stays first, if it is still in the list.
    std::vector<IpAddress> fresh = found;
    if (!addresses_.empty()) {
        const auto same = std::find(fresh.begin(), fresh.end(), addresses_.front());
        if (same != fresh.end()) std::rotate(fresh.begin(), same, same + 1);
    }
    addresses_ = std::move(fresh);
    report(addresses_);
}

void UpstreamName::report(const std::vector<IpAddress>& addresses) {
    if (context_.on_addresses) context_.on_addresses(this, addresses);
}

void UpstreamName::close() {
    if (on_end_ == nullptr) return;
    on_end_ = nullptr;
    report({});
}

void UpstreamName::works(const IpAddress& address) {
    const auto at = std::find(addresses_.begin(), addresses_.end(), address);
    if (at != addresses_.end()) std::rotate(addresses_.begin(), at, at + 1);
}

void UpstreamName::fails(const IpAddress& address) {
    const auto at = std::find(addresses_.begin(), addresses_.end(), address);
    if (at != addresses_.end()) std::rotate(at, at + 1, addresses_.end());
}

}  // namespace steer::stream
