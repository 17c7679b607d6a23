#include "control/sources/transfer/exchange.h"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <ctime>
#include <random>
#include <utility>

#include "control/api/log/mnemonics.h"
#include "control/host/net/tls_client.h"
#include "control/sources/transfer/tsig.h"
#include "control/streams/fetch/connection.h"
#include "dataplane/dns/wire.h"

namespace steer::transfer {
namespace asio = boost::asio;
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::seconds kConnectPatience{10};
constexpr std::chrono::seconds kIdlePatience{60};  // without a byte
constexpr std::size_t kReadBytes = 64 * 1024;

std::uint64_t signing_time_s() {
    return static_cast<std::uint64_t>(std::time(nullptr));
}

std::uint16_t new_id() {
    std::random_device device;
    return static_cast<std::uint16_t>(device());
}

class Conversation {
  public:
    Conversation(asio::io_context& io, const ExchangeRequest& request)
        : request_(request), deadline_(SteadyClock::now() + request.timeout), connection_(io) {}

    asio::awaitable<void> run();
    Exchanged result;

  private:
    void end(TransferOutcome outcome, std::string why = {});
    // The connection failed in this step.
    void fail(const std::string& step);
    [[nodiscard]] bool is_late() const { return SteadyClock::now() >= deadline_; }
    void patience(std::chrono::seconds most) {
        connection_.until(std::min(deadline_, SteadyClock::now() + most));
    }
    asio::awaitable<bool> connect();
    asio::awaitable<bool> send(Bytes query);
    // The next message with the id of the query, its signature taken off. False: it ended.
    asio::awaitable<bool> receive();
    asio::awaitable<bool> ask_soa();
    asio::awaitable<void> ask_zone(AskFor what);
    void take_zone(AskFor what, TransferReader& reader);

    const ExchangeRequest& request_;
    const SteadyClock::time_point deadline_;
    fetch::Connection connection_;
    std::uint16_t id_ = 0;
    std::unique_ptr<TsigStream> signatures_;
    Bytes in_, message_;
    std::uint8_t rcode_ = 0;
};

void Conversation::end(TransferOutcome outcome, std::string why) {
    result.outcome = outcome;
    result.why = std::move(why);
}

void Conversation::fail(const std::string& step) {
    if (is_late())
        return end(TransferOutcome::too_slow, "it took longer than " +
                                                  std::to_string(request_.timeout.count() / 1000) +
                                                  " s (" + step + ")");
    end(TransferOutcome::unreachable, step + " failed: " + connection_.why());
}

asio::awaitable<bool> Conversation::connect() {
    patience(kConnectPatience);
    const bool connected = co_await connection_.connect(request_.primary.address,
                                                        request_.primary.port, kIdlePatience);
    if (!connected) {
        fail("connecting");
        co_return false;
    }
    if (!request_.primary.tls) co_return true;
    const config::ZoneTls& tls = request_.tls;
    stream::TlsTrust trust;
    trust.ca_file = tls.ca;
    trust.pins = tls.pins;
    trust.verify = tls.pins.empty() || !tls.ca.empty();
    const auto client =
        stream::TlsClient::make(tls.name.empty() ? request_.primary.address.to_string() : tls.name,
                                {"dot"}, std::move(trust));
    if (!client) {
        end(TransferOutcome::untrusted, client.error().text);
        co_return false;
    }
    const bool secured = co_await connection_.secure(**client, "`ca` in `tls` of the secondary");
    if (!secured) {
        if (connection_.is_refused()) {
            end(TransferOutcome::untrusted, connection_.why());
        } else {
            fail("TLS");
        }
        co_return false;
    }
    if (const auto right = (*client)->check(connection_.ssl()); !right) {
        end(TransferOutcome::untrusted, right.error().text);
        co_return false;
    }
    // RFC 9103 7.1: the protocol has to be "dot".
    if (connection_.protocol() != "dot") {
        end(TransferOutcome::untrusted, "the primary does not accept DNS over TLS (ALPN 'dot')");
        co_return false;
    }
    co_return true;
}

asio::awaitable<bool> Conversation::send(Bytes query) {
    id_ = dns::load_be16(query.data());
    if (request_.key) {
        Bytes mac = sign_query(query, *request_.key, signing_time_s());
        signatures_ = std::make_unique<TsigStream>(*request_.key, std::move(mac));
    }
    Bytes out(stream::kLengthPrefix);
    dns::store_be16(out.data(), static_cast<std::uint16_t>(query.size()));
    out.insert(out.end(), query.begin(), query.end());
    patience(kIdlePatience);
    const bool sent = co_await connection_.write(out);
    if (!sent) fail("sending a query");
    co_return sent;
}

asio::awaitable<bool> Conversation::receive() {
    Bytes room(kReadBytes);
    for (;;) {
        if (in_.size() >= stream::kLengthPrefix) {
            const std::size_t length = dns::load_be16(in_.data());
            const std::size_t whole = stream::kLengthPrefix + length;
            if (in_.size() >= whole) {
                message_.assign(in_.begin() + stream::kLengthPrefix,
                                in_.begin() + static_cast<std::ptrdiff_t>(whole));
                in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(whole));
                result.bytes += length;
                break;
            }
        }
        patience(kIdlePatience);
        const std::size_t n = co_await connection_.read(room);
        if (n == 0) {
            fail("receiving");
            co_return false;
        }
        in_.insert(in_.end(), room.begin(), room.begin() + static_cast<std::ptrdiff_t>(n));
    }
    const auto code = response_code(message_, id_);
    if (!code) {
        end(TransferOutcome::malformed, "it sent " + code.error().text);
        co_return false;
    }
    rcode_ = *code;
    if (signatures_ != nullptr) {
        if (const auto right = signatures_->take(message_, signing_time_s()); !right) {
            // Errors before the key was checked have no signature.
            const bool is_plain_error = rcode_ != dns::kNoError && !signatures_->is_signed();
            end(is_plain_error ? TransferOutcome::refused : TransferOutcome::bad_signature,
                is_plain_error
                    ? "it answers " + ops::rcode_name(rcode_) + " (" + right.error().text + ")"
                    : right.error().text);
            co_return false;
        }
    }
    co_return true;
}

asio::awaitable<bool> Conversation::ask_soa() {
    const bool sent = co_await send(transfer_query(AskFor::soa, request_.zone, new_id()));
    if (!sent) co_return false;
    const bool received = co_await receive();
    if (!received) co_return false;
    if (rcode_ != dns::kNoError) {
        end(TransferOutcome::refused,
            "it answers " + ops::rcode_name(rcode_) + " to the SOA query");
        co_return false;
    }
    std::optional<Soa> soa;
    const auto read = read_records(
        message_, [&](Bytes& owner, ZoneRecord record, std::uint16_t klass) -> Result<void> {
            if (owner == request_.zone && record.type == dns::kSoa && klass == dns::kIn && !soa)
                soa = soa_of(record.rdata);
            return {};
        });
    if (!read || !soa) {
        end(read ? TransferOutcome::refused : TransferOutcome::malformed,
            read ? "it does not have the zone: its answer has no SOA" : read.error().text);
        co_return false;
    }
    result.serial = soa->serial;
    co_return true;
}

void Conversation::take_zone(AskFor what, TransferReader& reader) {
    result.left_out = reader.left_out();
    switch (reader.kind()) {
        case TransferReader::Kind::unchanged:
        case TransferReader::Kind::none:
            return end(TransferOutcome::unchanged);
        case TransferReader::Kind::whole:
            result.image = reader.whole().finish();
            return end(TransferOutcome::whole);
        case TransferReader::Kind::differences:
            result.differences = reader.differences();
            return end(what == AskFor::ixfr ? TransferOutcome::incremental
                                            : TransferOutcome::malformed);
    }
}

asio::awaitable<void> Conversation::ask_zone(AskFor what) {
    const bool is_ixfr = what == AskFor::ixfr;
    const bool sent = co_await send(transfer_query(what, request_.zone, new_id(), request_.soa));
    if (!sent) co_return;
    TransferReader reader(request_.zone, is_ixfr ? request_.have : std::nullopt, request_.limits,
                          request_.any_serial ? std::nullopt : request_.have);
    for (;;) {
        const bool received = co_await receive();
        if (!received) {
            // Some primaries close the connection after an IXFR query that they do not know.
            result.asks_whole = is_ixfr && result.outcome == TransferOutcome::unreachable;
            co_return;
        }
        if (rcode_ != dns::kNoError) {
            result.asks_whole = is_ixfr;
            end(TransferOutcome::refused,
                "it answers " + ops::rcode_name(rcode_) + (is_ixfr ? " to IXFR" : " to AXFR"));
            co_return;
        }
        const auto state = reader.take(message_);
        if (!state) {
            const bool is_large = reader.is_too_large();
            result.asks_whole = is_ixfr && !is_large;
            end(is_large ? TransferOutcome::too_large : TransferOutcome::malformed,
                state.error().text);
            co_return;
        }
        if (*state == TransferReader::State::more) continue;
        if (signatures_ != nullptr && !signatures_->is_signed()) {
            end(TransferOutcome::bad_signature, "its last message is not signed");
            co_return;
        }
        co_return take_zone(what, reader);
    }
}

asio::awaitable<void> Conversation::run() {
    const bool connected = co_await connect();
    if (!connected) co_return;
    const bool knows = co_await ask_soa();
    if (!knows) co_return;
    const bool has_newer =
        !request_.have || request_.any_serial || is_newer_serial(*result.serial, *request_.have);
    if (!has_newer) co_return end(TransferOutcome::unchanged);
    const bool by_changes = request_.have && request_.incremental && !request_.whole;
    co_await ask_zone(by_changes ? AskFor::ixfr : AskFor::axfr);
}

}  // namespace

Exchanged exchange(const ExchangeRequest& request, const std::stop_token& stop) {
    asio::io_context io(1);
    Conversation conversation(io, request);
    const std::stop_callback on_stop(stop, [&io] { io.stop(); });
    conversation.result.why = "the transfer was stopped";
    asio::co_spawn(io, conversation.run(), [&](const std::exception_ptr& thrown) {
        if (thrown)
            conversation.result = {.outcome = TransferOutcome::too_large, .why = "no memory"};
        io.stop();  // ends remaining timers
    });
    if (!stop.stop_requested()) io.run();
    return std::move(conversation.result);
}

}  // namespace steer::transfer
