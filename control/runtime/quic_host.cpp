#include "control/runtime/quic_host.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "control/host/process/sequenced_socket.h"
#include "control/streams/quic/program.h"
#include "matchers/octets.h"
#include "matchers/safe_text.h"

namespace steer {
namespace {

// HMAC-SHA-512 (RFC 2104): one for each purpose.
std::string derived(const config::QuicSecretBytes& secret, const std::string& purpose) {
    std::string out(EVP_MAX_MD_SIZE, '\0');
    unsigned size = 0;
    if (HMAC(EVP_sha512(), secret.data(), static_cast<int>(secret.size()),
             octets_of(purpose).data(), purpose.size(),
             reinterpret_cast<unsigned char*>(out.data()), &size) == nullptr)
        std::abort();
    out.resize(size);
    return out;
}

template <std::size_t Size>
void derive(std::array<std::uint8_t, Size>& out, const config::QuicSecretBytes& secret,
            const std::string& purpose) {
    const std::string bytes = derived(secret, purpose);
    std::copy_n(bytes.begin(), Size, out.begin());
}

// With early data, a ticket is for one server, whose memory of hellos is its own, and for the limits
// that the client remembers (RFC 9001 4.6.3).
std::string ticket_key(const config::QuicSecretBytes& secret,
                       const quic::ServiceSettings& service) {
    static_assert(quic::kTicketKeyBytes == 64);  // of SHA-512
    const quic::ServerTlsSettings& tls = service.tls;
    std::string purpose = std::string("tickets ") + (tls.require_client_cert ? "1" : "0");
    if (tls.early_data) {
        purpose += " early " + std::to_string(service.number) + " " +
                   std::to_string(static_cast<unsigned>(service.protocol)) + " " +
                   std::to_string(service.limits.max_queries) + " ";
    }
    return derived(secret, purpose + tls.client_ca);
}

quic::BoundAddress bound_address(const stream::ListenAddress& where) {
    return {where.address, where.port, static_cast<std::uint32_t>(where.scope)};
}

}  // namespace

QuicHost::QuicHost(boost::asio::io_context& io, unsigned threads, const quic::Memory& memory,
                   const std::optional<config::QuicSecretBytes>& secret, Start start,
                   Connect connect, Disconnect disconnect, Log log)
    : threads_(threads),
      memory_(memory),
      connect_(std::move(connect)),
      disconnect_(std::move(disconnect)),
      log_(std::move(log)),
      child_(io, *this, std::move(start), {quic::kProgramName, quic::kMaxMessage}) {
    if (secret) {
        secret_ = *secret;
    } else if (RAND_bytes(secret_.data(), static_cast<int>(secret_.size())) != 1) {
        std::abort();
    }
    derive(secrets_.tokens, secret_, "tokens");
    derive(secrets_.resets, secret_, "resets");
}

// ---- what it has

void QuicHost::set_service(quic::ServiceSettings service) {
    Service& known = services_[service.number];
    const quic::ServiceSettings* const before = !known.offered.empty() ? &known.offered.back()
                                                : known.accepted       ? &*known.accepted
                                                                       : nullptr;
    service.tls.ticket_key = ticket_key(secret_, service);
    if (before != nullptr && *before == service && known.error.empty()) return;
    known.offered.push_back(std::move(service));
    say(known.offered.back());
}

Result<void> QuicHost::add_sockets(std::uint16_t service, const stream::ListenAddress& where,
                                   const Open& open) {
    auto known = places_.find(where);
    if (known == places_.end()) {
        auto sockets = open();
        if (!sockets) return sockets.error();
        known = places_
                    .emplace(where, Place{service, std::make_shared<const std::vector<Descriptor>>(
                                                       std::move(*sockets))})
                    .first;
    }
    known->second.is_used = true;
    say_sockets(where, known->second);
    return {};
}

void QuicHost::remove_sockets(const stream::ListenAddress& where) {
    const auto known = places_.find(where);
    if (known == places_.end()) return;
    known->second.is_used = false;
    say(quic::ClosedSocket{bound_address(where)});
    // Addresses that change often (RFC 8981) do not come back.
    constexpr std::ptrdiff_t kMostUnused = 64;
    const auto is_unused = [](const auto& one) { return !one.second.is_used; };
    if (std::ranges::count_if(places_, is_unused) > kMostUnused)
        places_.erase(std::ranges::find_if(places_, is_unused));
}

void QuicHost::set_draining(bool on) {
    if (std::exchange(is_draining_, on) != on) say(quic::Draining{on});
}

void QuicHost::say_sockets(const stream::ListenAddress& where, const Place& place) {
    say(quic::AddressSockets{place.service, bound_address(where)}, place.sockets);
}

std::string QuicHost::error() const {
    std::string all = error_;
    for (const auto& [number, service] : services_) {
        if (!service.error.empty()) all += (all.empty() ? "" : "; ") + service.error;
    }
    return all;
}

// ---- messages

// In order, as the process reads them.
void QuicHost::say(const quic::MainMessage& message, Sockets beside) {
    if (!child_.is_running()) return;
    queue_.push_back({quic::encode(message), std::move(beside)});
    send_queued();
}

void QuicHost::send_queued() {
    while (!queue_.empty()) {
        std::vector<int> descriptors;
        if (const Sockets& beside = queue_.front().beside) {
            for (const Descriptor& socket : *beside)
                descriptors.push_back(socket.get());
        }
        if (!child_.send(queue_.front().message, descriptors)) return;
        queue_.pop_front();
    }
}

bool QuicHost::take_message(std::string_view bytes) {
    const auto message = quic::decode_main(bytes);
    if (!message) return false;
    if (!std::exchange(logged_, {}).empty()) log_(std::string(quic::kProgramName) + " runs again");
    if (const auto* const state = std::get_if<quic::ServiceState>(&*message)) return take(*state);
    return std::holds_alternative<quic::Alive>(*message);
}

// One for each server that was sent, in that order.
bool QuicHost::take(const quic::ServiceState& state) {
    const auto known = services_.find(state.number);
    if (known == services_.end() || known->second.offered.empty()) return false;
    Service& service = known->second;
    if (state.error.empty()) {
        service.accepted = std::move(service.offered.front());
        service.error.clear();
    } else {
        service.error = safe_text(state.error);
        log_(std::string(quic::kProgramName) + ": " + service.error +
             (service.accepted ? "; the one before stays in use"
                               : "; DNS over QUIC is not answered"));
    }
    service.offered.pop_front();
    return true;
}

// ---- its life

void QuicHost::start() {
    is_started_ = true;
    if (is_needed()) child_.start();
}

void QuicHost::set_upstreams(bool are_there) {
    has_upstreams_ = are_there;
    if (!is_started_) return;
    if (is_needed()) {
        child_.start();
    } else {
        child_.end("it has no server and no upstream any more");
    }
}

const char* QuicHost::effect() const {
    return has_services() ? "DNS over QUIC is not answered" : "upstreams over QUIC are not asked";
}

void QuicHost::child_began() {
    error_.clear();
    queue_.clear();
    empty_sockets();
    std::vector<Descriptor> ours, theirs;
    for (unsigned i = 0; i < threads_; ++i) {
        auto [own, other] = SequencedSocket::pair(quic::kMaxMessage);
        if (own.get() < 0)
            return child_.give_up(std::string("no socket pair for it: ") + std::strerror(errno));
        ours.push_back(std::move(own));
        theirs.push_back(std::move(other));
    }
    say(quic::Begin{secrets_, threads_, memory_},
        std::make_shared<const std::vector<Descriptor>>(std::move(theirs)));
    for (auto& [number, service] : services_) {
        if (service.accepted) service.offered.push_front(*std::exchange(service.accepted, {}));
        for (const quic::ServiceSettings& one : service.offered)
            say(one);
    }
    for (const auto& [where, place] : places_) {
        if (place.is_used) say_sockets(where, place);
    }
    if (is_draining_) say(quic::Draining{true});
    connect_(std::move(ours), child_.not_understood());
}

void QuicHost::child_failed(const ChildFailure& failure) {
    ++restarts_;
    error_ = failure.why;
    if (std::exchange(logged_, failure.why) != failure.why) log_(failure.sentence(effect()));
}

// What waited there is of connections that are gone.
void QuicHost::empty_sockets() {
    std::array<char, 1> byte{};
    unsigned left = 10'000;  // of a flood, the rest is the next process's
    for (const auto& [where, place] : places_) {
        for (const Descriptor& socket : *place.sockets) {
            while (left > 0 &&
                   ::recv(socket.get(), byte.data(), byte.size(), MSG_DONTWAIT | MSG_TRUNC) >= 0)
                --left;
        }
    }
}

// A closed channel lets the process close its connections and end.
void QuicHost::stop() {
    is_started_ = false;
    if (child_.is_running()) disconnect_();
    child_.stop();
}

}  // namespace steer
