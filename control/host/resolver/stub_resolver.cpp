#include "control/host/resolver/stub_resolver.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <utility>

#include "control/host/process/no_throw.h"
#include "control/host/process/regular_file.h"
#include "control/host/resolver/endpoint.h"
#include "control/host/resolver/server_text.h"
#include "dataplane/dns/answer.h"
#include "dataplane/dns/name.h"

namespace steer::resolver {
namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
namespace {

constexpr std::size_t kMaxResolvers = 8, kMaxSystemResolvers = 3;
constexpr unsigned kMaxNearMisses = 10;  // datagrams that are not the reply; then TCP

struct Question {
    std::vector<std::uint8_t> name;  // wire form
    std::uint16_t type = 0, id = 0;
    std::array<std::uint8_t, 12 + 255 + 4 + 11 + 24> message{};
    std::size_t length = 0;
};

Question make_question(std::vector<std::uint8_t> name, std::uint16_t type) {
    Question q;
    q.name = std::move(name);
    q.type = type;
    if (::getrandom(&q.id, sizeof q.id, 0) != sizeof q.id) std::abort();
    q.length = dns::write_query(q.message, q.id, q.name, type, dns::kIn, true, false, true, false);
    return q;
}

// Cancels what a socket waits for at a point of time.
template <class Socket>
class TimeLimit {
  public:
    TimeLimit(Socket& socket, Deadline at)
        : timer_(socket.get_executor(), at), socket_(std::make_shared<Socket*>(&socket)) {
        timer_.async_wait([held = socket_](const boost::system::error_code& error) {
            boost::system::error_code ignored;
            if (!error && *held != nullptr) (*held)->close(ignored);
        });
    }
    // The timer may have expired already, with its handler queued.
    ~TimeLimit() { *socket_ = nullptr; }
    TimeLimit(const TimeLimit&) = delete;
    TimeLimit& operator=(const TimeLimit&) = delete;

  private:
    asio::steady_timer timer_;
    std::shared_ptr<Socket*> socket_;
};

template <class Socket, class Endpoint>
bool open(Socket& socket, const Endpoint& to, const Resolver& resolver, const AskOptions& options) {
    boost::system::error_code error;
    socket.open(to.protocol(), error);
    return !error &&
           (!options.prepare || options.prepare(socket.native_handle(), resolver.address));
}

asio::awaitable<ResolverReply> ask_tcp(const Question& question, const Resolver& resolver,
                                       Deadline until, const AskOptions& options) {
    const auto to = endpoint<tcp>(resolver.address, resolver.port);
    tcp::socket socket(co_await asio::this_coro::executor);
    if (!open(socket, to, resolver, options)) co_return ResolverReply{};
    const TimeLimit limit(socket, until);
    const auto [refused] = co_await socket.async_connect(to, kNoThrow);
    if (refused) co_return ResolverReply{};
    std::vector<std::uint8_t> bytes(2 + question.length);
    dns::store_be16(bytes.data(), static_cast<std::uint16_t>(question.length));
    std::copy_n(question.message.begin(), question.length, bytes.begin() + 2);
    const auto [unsent, _] = co_await asio::async_write(socket, asio::buffer(bytes), kNoThrow);
    bytes.resize(2);
    if (unsent) co_return ResolverReply{};
    const auto [no_length, _2] = co_await asio::async_read(socket, asio::buffer(bytes), kNoThrow);
    if (no_length) co_return ResolverReply{};
    bytes.resize(dns::load_be16(bytes.data()));
    const auto [no_body, _3] = co_await asio::async_read(socket, asio::buffer(bytes), kNoThrow);
    if (no_body) co_return ResolverReply{};
    co_return read_reply(bytes, question.id, question.name, question.type);
}

asio::awaitable<ResolverReply> ask_one(const Question& question, const Resolver& resolver,
                                       Deadline until, const AskOptions& options) {
    const auto to = endpoint<udp>(resolver.address, resolver.port);
    udp::socket socket(co_await asio::this_coro::executor);
    if (!open(socket, to, resolver, options)) co_return ResolverReply{};
    boost::system::error_code error;
    socket.connect(to, error);  // packets from other addresses are not received
    if (error) co_return ResolverReply{};
    const TimeLimit limit(socket, until);
    const auto [unsent, _] = co_await socket.async_send(
        asio::buffer(question.message.data(), question.length), kNoThrow);
    if (unsent) co_return ResolverReply{};
    std::vector<std::uint8_t> bytes(dns::kMaxMessage);
    for (unsigned strays = 0; strays < kMaxNearMisses; ++strays) {
        const auto [nothing, length] = co_await socket.async_receive(asio::buffer(bytes), kNoThrow);
        if (nothing) co_return ResolverReply{};
        auto reply = read_reply({bytes.data(), length}, question.id, question.name, question.type);
        if (reply.what == ResolverReply::What::cut_off)
            co_return co_await ask_tcp(question, resolver, until, options);
        // Not from the asked server: its answer may still come.
        const bool ours = length >= dns::kHeaderSize && dns::load_be16(bytes.data()) == question.id;
        if (reply.what == ResolverReply::What::answer || ours) co_return reply;
    }
    co_return co_await ask_tcp(question, resolver, until, options);  // under attack (RFC 5452)
}

}  // namespace

ResolverReply read_reply(std::span<const std::uint8_t> message, std::uint16_t id,
                         std::span<const std::uint8_t> name, std::uint16_t type) {
    alignas(dns::Answer) std::array<std::uint8_t, std::size_t{3} * dns::kMaxMessage> block;
    dns::UpstreamFacts facts;
    ResolverReply reply;
    if (message.size() < dns::kHeaderSize || dns::load_be16(message.data()) != id) return reply;
    const auto error = dns::build_answer(message, name, type, dns::kIn, false, block, facts);
    if (error != dns::AnswerError::none || facts.no_question) return reply;
    if ((facts.flags & dns::kTc) != 0) {
        reply.what = ResolverReply::What::cut_off;
        return reply;
    }
    if (facts.rcode != dns::kNoError && facts.rcode != dns::kNxDomain) return reply;
    reply.what = ResolverReply::What::answer;
    const auto& answer = *reinterpret_cast<const dns::Answer*>(block.data());
    reply.ttl_s = answer.min_ttl_s;
    for (std::size_t i = 0; i < answer.address_count; ++i) {
        const dns::AddressRef& at = answer.addresses()[i];
        IpAddress ip{};
        const std::uint8_t* const bytes = answer.body() + at.rdata_offset;
        if (at.is_v6 != 0) {
            std::copy_n(bytes, ip.bytes.size(), ip.bytes.begin());
        } else {
            ip = IpAddress::from_v4(bytes);
        }
        reply.addresses.push_back(ip);
    }
    return reply;
}

asio::awaitable<Addresses> ask(std::string name, std::vector<Resolver> resolvers, Deadline deadline,
                               AskOptions options) {
    Addresses out;
    auto wire = dns::name_from_text(name);
    if (!wire) {
        out.answered = true;  // there can be none of that name
        co_return out;
    }
    if (resolvers.size() > kMaxResolvers) resolvers.resize(kMaxResolvers);
    std::vector<std::uint16_t> types;
    if (options.v4) types.push_back(dns::kA);
    if (options.v6) types.push_back(dns::kAaaa);
    for (const auto patience : options.patience) {
        for (const Resolver& resolver : resolvers) {
            for (const std::uint16_t type : types) {
                const auto until = std::min(deadline, std::chrono::steady_clock::now() + patience);
                const Question question = make_question(*wire, type);
                const ResolverReply reply = co_await ask_one(question, resolver, until, options);
                if (reply.what != ResolverReply::What::answer && type == types.front()) break;
                if (reply.what != ResolverReply::What::answer) continue;
                out.ttl_s = out.found.empty() ? reply.ttl_s : std::min(out.ttl_s, reply.ttl_s);
                out.answered = true;
                out.found.insert(out.found.end(), reply.addresses.begin(), reply.addresses.end());
            }
            if (out.answered) co_return out;
        }
    }
    co_return out;
}

std::vector<Resolver> system_resolvers(const std::string& path) {
    const auto text = read_regular(path);
    std::vector<Resolver> out;
    for (const NamedServer& server : read_servers(text && *text ? **text : std::string())) {
        if (server.interface.empty() && out.size() < kMaxSystemResolvers)
            out.push_back({server.address, 53});
    }
    return out;
}

}  // namespace steer::resolver
