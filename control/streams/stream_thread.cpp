#include "control/streams/stream_thread.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <cctype>
#include <cstring>
#include <tuple>
#include <utility>
#include <vector>

#include "dataplane/dns/name.h"
#include "dataplane/dns/wire.h"

namespace steer::stream {
namespace {

using namespace std::chrono_literals;

constexpr unsigned kPerRing = 256;  // messages a turn; then sockets have theirs
constexpr auto kHousekeepingEvery = 1s;
constexpr std::uint32_t kProbeTimeoutMs = 5'000;  // a late reply counts, too

std::uint64_t secret_of(forward::ChaChaRandom& random) {
    return (std::uint64_t{random.next()} << 32) | random.next();
}

// Of a reply with a header (is_reply_to()).
bool refuses_edns(std::span<const std::uint8_t> reply) {
    constexpr std::size_t kAdditionalCount = 10;
    const unsigned rcode = dns::load_be16(&reply[2]) & dns::kRcodeMask;
    const bool may_have_opt = dns::load_be16(&reply[kAdditionalCount]) != 0;
    return !may_have_opt && (rcode == dns::kFormErr || rcode == dns::kNotImp);
}

// Sets the case of each letter of the query's name at random. With two letters or more, both cases
// occur: a reply in lower case never has the case of the query by chance.
void randomize_case(std::span<std::uint8_t> query, forward::ChaChaRandom& random) {
    const auto name =
        query.subspan(dns::kHeaderSize, dns::plain_name_length(query.subspan(dns::kHeaderSize)));
    const auto is_letter = [](std::uint8_t byte) { return std::isalpha(byte) != 0; };
    const auto letters = std::ranges::count_if(name, is_letter);
    for (;;) {
        std::ptrdiff_t capitals = 0;
        for (std::uint8_t& byte : name) {  // a length is at most 63, which is no letter
            if (!is_letter(byte)) continue;
            const bool is_capital = random.below(2) != 0;
            byte = static_cast<std::uint8_t>(is_capital ? std::toupper(byte) : std::tolower(byte));
            capitals += is_capital ? 1 : 0;
        }
        if (letters < 2 || (capitals > 0 && capitals < letters)) return;
    }
}

// Of a reply whose question is that of the query in any case (is_reply_to()).
ReplyCase case_in(std::span<const std::uint8_t> reply, std::span<const std::uint8_t> name) {
    constexpr std::size_t kQuestionCount = 4;
    if (name.empty() || dns::load_be16(&reply[kQuestionCount]) == 0) return ReplyCase::unknown;
    return std::ranges::equal(reply.subspan(dns::kHeaderSize, name.size()), name)
               ? ReplyCase::kept
               : ReplyCase::changed;
}

}  // namespace

StreamThread::StreamThread(unsigned index, StreamRings rings, BufferPools& buffers, Clock& clock)
    : context_{index, std::move(rings), buffers, clock},
      work_(context_.io.get_executor()),
      wake_(context_.io, ::dup(context_.rings.sleeper->event_fd())),
      housekeeping_(context_.io),
      injector_(context_),
      budget_(secret_of(context_.random)),
      upstream_udp_(context_),
      upstream_engines_(context_),
      upstream_tcp_(context_),
      quic_upstreams_(context_),
      channels_(context_, upstream_udp_, upstream_tcp_, quic_upstreams_) {
    injector_.set_flush([this] { flush(); });
    context_.make_room = [this] { return make_room(); };
    boost::asio::post(context_.io, [this] { on_wake(); });
    boost::asio::post(context_.io, [this] { await_housekeeping(); });
}

StreamThread::~StreamThread() {
    for (auto& [where, listener] : udp_)
        listener->close();
    for (auto& [where, listener] : tcp_)
        listener->close();
    clients_.clear();
    std::array<Message, 32> messages;
    for (auto* ring : context_.rings.from_worker) {
        while (const unsigned n = ring->pop(messages.data(), messages.size())) {
            for (unsigned i = 0; i < n; ++i)
                release(messages[i].buffer);
        }
    }
}

void StreamThread::add_udp(const ListenAddress& where, int descriptor, bool budgeted) {
    boost::asio::post(context_.io, [this, where, descriptor, budgeted] {
        context_.listening.emplace(where.address, where.port);
        const auto listener =
            std::make_shared<UdpListener>(context_, injector_, descriptor, where.address,
                                          where.port, budgeted ? &budget_ : nullptr);
        udp_[where] = listener;
        listener->start();
    });
}

void StreamThread::add_tcp(const ListenAddress& where, int descriptor,
                           std::shared_ptr<const Service> service) {
    boost::asio::post(context_.io, [this, where, descriptor, service = std::move(service)] {
        context_.listening.emplace(where.address, where.port);
        const auto listener = std::make_shared<TcpListener>(
            context_, injector_, clients_of(service), descriptor, where.address, where.port);
        tcp_[where] = listener;
        listener->start();
    });
}

void StreamThread::set_quic(std::vector<QuicFrontend> servers) {
    boost::asio::post(context_.io, [this, all = std::move(servers)]() mutable {
        quic_ = std::make_shared<QuicLink>(context_, injector_, quic_upstreams_, quic_state_,
                                           std::move(all));
    });
}

void StreamThread::connect_quic(Descriptor channel, std::function<void()> broken) {
    const auto owned = std::make_shared<Descriptor>(std::move(channel));
    boost::asio::post(context_.io, [this, owned, to = std::move(broken)]() mutable {
        quic_->connect(std::move(*owned), std::move(to));
    });
}

void StreamThread::disconnect_quic() {
    boost::asio::post(context_.io, [this] { quic_->disconnect(); });
}

ClientConnections& StreamThread::clients_of(const std::shared_ptr<const Service>& service) {
    auto& clients = clients_[service.get()];
    if (clients == nullptr) clients = std::make_unique<ClientConnections>(context_, service);
    return *clients;
}

void StreamThread::share_clients(std::shared_ptr<ClientBudget> budget,
                                 std::function<void()> ask_others) {
    context_.client_budget = std::move(budget);
    context_.ask_others_for_room = std::move(ask_others);
}

void StreamThread::make_room_if_exceeded() {
    boost::asio::post(context_.io, [this] {
        if (context_.client_budget->is_exceeded()) make_room();
    });
}

bool StreamThread::make_room() {
    ClientConnections::Leaver first;
    for (auto& [service, clients] : clients_) {
        auto leaver = clients->find_leaver();
        if (leaver.connection == nullptr) continue;
        if (first.connection == nullptr ||
            std::tie(leaver.rank, leaver.since_ms) < std::tie(first.rank, first.since_ms))
            first = std::move(leaver);
    }
    if (first.connection == nullptr) return false;
    context_.count(StreamCount::tcp_made_process_room);
    first.connection->close();
    return true;
}

void StreamThread::set_upstream_sockets(const UpstreamSocketLimits& limits) {
    boost::asio::post(context_.io, [this, limits] { context_.upstream_sockets = limits; });
}

void StreamThread::remove(const ListenAddress& where) {
    boost::asio::post(context_.io, [this, where] {
        context_.listening.erase({where.address, where.port});
        if (const auto it = udp_.find(where); it != udp_.end()) {
            it->second->close();
            udp_.erase(it);
        }
        if (const auto it = tcp_.find(where); it != tcp_.end()) {
            it->second->close();
            tcp_.erase(it);
        }
    });
}

void StreamThread::set_copying(std::vector<int> if_indices) {
    boost::asio::post(context_.io, [this, all = std::move(if_indices)]() mutable {
        context_.copying = std::move(all);
    });
}

void StreamThread::set_vrfs(std::map<IpAddress, int> by_upstream) {
    boost::asio::post(context_.io, [this, all = std::move(by_upstream)]() mutable {
        context_.vrfs = std::move(all);
    });
}

void StreamThread::set_notify(NotifyHandler handler) {
    boost::asio::post(context_.io, [this, to = std::move(handler)]() mutable {
        context_.on_notify = std::move(to);
    });
}

void StreamThread::set_limits(std::shared_ptr<const LimitPolicy> limits, std::uint64_t secret) {
    boost::asio::post(context_.io, [this, secret, policy = std::move(limits)]() mutable {
        context_.limiter = Limiter(context_.index, true, secret);
        context_.limits = std::move(policy);
    });
}

void StreamThread::set_upstreams(std::shared_ptr<const UpstreamDirectory> directory) {
    channels_.put(std::move(directory));
}

void StreamThread::network_changed() {
    boost::asio::post(context_.io, [this] {
        upstream_udp_.network_changed();
        channels_.network_changed();
    });
}

// Gives the answer to one question of ask().
class StreamThread::OneAnswer final : public ResponseHandler,
                                      public std::enable_shared_from_this<OneAnswer> {
  public:
    OneAnswer(StreamThread& thread, TracedAnswer done) : thread_(thread), done_(std::move(done)) {}
    void take_answer(const QueryOrigin& /*origin*/, Buffer* response) override {
        std::vector<std::uint8_t> bytes;
        if (response != nullptr) bytes.assign(response->bytes().begin(), response->bytes().end());
        release(response);
        const auto self = shared_from_this();
        thread_.asked_.erase(self);
        done_(std::move(bytes));
    }

  private:
    StreamThread& thread_;
    TracedAnswer done_;
};

void StreamThread::ask(TracedQuestion question, TracedAnswer done) {
    boost::asio::post(
        context_.io, [this, q = std::move(question), then = std::move(done)]() mutable {
            const auto taker = std::make_shared<OneAnswer>(*this, std::move(then));
            const QueryMetadata metadata{.trace_id = q.trace_id};
            Buffer* const buffer = injector_.take_buffer(q.message.size(), metadata);
            const QueryOrigin origin{SocketAddress(q.client, q.client_port), q.local, q.local_port,
                                     q.transport};
            if (buffer != nullptr) {
                std::ranges::copy(q.message, Injector::query_room(*buffer).begin());
                asked_.insert(taker);
                if (injector_.inject(taker, origin, buffer, q.message.size(), metadata)) return;
            }
            taker->take_answer(origin, nullptr);
        });
}

void StreamThread::probe(ProbeQuestion question, ProbeReplied done) {
    boost::asio::post(context_.io, [this, q = std::move(question),
                                    then = std::move(done)]() mutable {
        UpstreamAsk ask;
        ask.address = q.address;
        ask.port = q.port;
        ask.timeout_ms = kProbeTimeoutMs;
        ask.upstream = q.upstream;
        ask.query = std::move(q.query);
        dns::store_be16(ask.query.data(), static_cast<std::uint16_t>(context_.random.next()));
        std::vector<std::uint8_t> name;
        if (q.random_case) {
            randomize_case(ask.query, context_.random);
            const auto rest = std::span<const std::uint8_t>(ask.query).subspan(dns::kHeaderSize);
            name.assign(rest.begin(),
                        rest.begin() + static_cast<std::ptrdiff_t>(dns::plain_name_length(rest)));
        }
        ask.on_probe_reply = [done = std::move(then),
                              name = std::move(name)](std::span<const std::uint8_t> reply) {
            done({.refuses_edns = refuses_edns(reply), .name_case = case_in(reply, name)});
        };
        if (q.has_channel) {
            channels_.ask(std::move(ask), false);
        } else {
            upstream_udp_.ask(std::move(ask));
        }
    });
}

void StreamThread::run() {
    heartbeat_.begin();
    context_.io.run();
}
void StreamThread::stop() {
    context_.io.stop();
}
std::size_t StreamThread::poll() {
    const std::chrono::milliseconds passed(context_.now_ms() - kept_ms_);
    if (passed >= kHousekeepingEvery) keep_house();
    return context_.io.poll();
}

// Pops all rings dry, then sleeps on the event descriptor; `going_to_sleep` before the last check,
// so that no push is missed.
void StreamThread::on_wake() {
    context_.rings.sleeper->awake();
    bool dry = drain();
    if (dry) {
        context_.rings.sleeper->going_to_sleep();
        for (auto* ring : context_.rings.from_worker)
            dry = dry && ring->empty();
    }
    if (dry) {
        wait_for_wake();
    } else {
        boost::asio::post(context_.io, [this] { on_wake(); });
    }
}

void StreamThread::wait_for_wake() {
    wake_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                     [this](const boost::system::error_code& error) {
                         if (error) return;
                         std::uint64_t times = 0;
                         [[maybe_unused]] const auto n =
                             ::read(wake_.native_handle(), &times, sizeof times);
                         on_wake();
                     });
}

bool StreamThread::drain() {
    std::array<Message, 32> messages;
    bool dry = true;
    for (auto* ring : context_.rings.from_worker) {
        unsigned done = 0;
        while (done < kPerRing) {
            const unsigned n = ring->pop(messages.data(), messages.size());
            if (n == 0) break;
            for (unsigned i = 0; i < n; ++i)
                take(messages[i]);
            done += n;
        }
        dry = dry && done < kPerRing;
    }
    flush();
    return dry;
}

void StreamThread::flush() {
    for (auto& [where, listener] : udp_)
        listener->flush();
    for (auto& [service, clients] : clients_)
        clients->flush();
    if (quic_ != nullptr) quic_->flush();
}

void StreamThread::take(const Message& m) {
    if (m.kind == MessageKind::answer) {
        injector_.on_answer(m);
        return;
    }
    if (m.kind == MessageKind::notify && m.buffer != nullptr) return take_notify(m.buffer);
    if (m.kind != MessageKind::upstream_query || m.buffer == nullptr) {
        release(m.buffer);
        return;
    }
    UpstreamAsk ask = UpstreamAsk::take(m);
    if (ask.query.empty()) return;
    const auto via = static_cast<UpstreamVia>(m.b);
    if (via == UpstreamVia::channel || (via == UpstreamVia::tcp && channels_.knows(ask.upstream))) {
        channels_.ask(std::move(ask), via == UpstreamVia::tcp);
    } else if (via == UpstreamVia::tcp) {
        upstream_tcp_.ask(std::move(ask));
    } else if (via == UpstreamVia::engine) {
        upstream_engines_.ask(std::move(ask));
    } else {
        upstream_udp_.ask(std::move(ask));
    }
}

// The answer leaves by the kernel socket of the asked address; without one there is no answer, and
// the primary asks again.
void StreamThread::take_notify(Buffer* buffer) {
    InjectedQuery head;
    std::memcpy(&head, buffer->data(), sizeof head);
    const auto message = Injector::query_room(*buffer).first(head.length);
    std::vector<std::uint8_t> response;
    if (context_.on_notify) response = context_.on_notify(head.client, head.transport, message);
    if (response.empty()) {
        response.assign(message.begin(), message.begin() + dns::kHeaderSize);
        const unsigned flags = dns::load_be16(&response[2]) & dns::kOpcodeMask;
        std::fill(response.begin() + 2, response.end(), std::uint8_t{0});
        dns::store_be16(&response[2], static_cast<std::uint16_t>(dns::kQr | flags | dns::kNotImp));
    }
    const auto at = std::ranges::find_if(udp_, [&](const auto& one) {
        return one.first.address == head.local && one.first.port == head.local_port;
    });
    if (at == udp_.end() || response.size() > buffer->capacity) return release(buffer);
    std::ranges::copy(response, buffer->data());
    buffer->length = static_cast<std::uint32_t>(response.size());
    at->second->take_answer({SocketAddress(head.client, head.client_port), head.local,
                             head.local_port, ClientTransport::udp},
                            buffer);
}

void StreamThread::await_housekeeping() {
    housekeeping_.expires_after(kHousekeepingEvery);
    housekeeping_.async_wait([this](const boost::system::error_code& error) {
        if (error) return;
        keep_house();
        await_housekeeping();
    });
}

void StreamThread::keep_house() {
    kept_ms_ = context_.now_ms();
    heartbeat_.beat();
    injector_.expire();
    upstream_udp_.expire();
    upstream_engines_.expire();
    channels_.tick();
    for (auto& [service, clients] : clients_)
        clients->expire();
    flush();
}

}  // namespace steer::stream
