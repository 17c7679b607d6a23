// Conversations over TCP with primaries on loopback that behave badly.
#include "control/sources/transfer/exchange.h"

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <ctime>
#include <functional>
#include <thread>

#include "control/sources/transfer/tsig.h"
#include "zone_maker.h"

namespace steer::transfer::test {
namespace {

namespace asio = boost::asio;

const std::string kServed = "rpz.example";

// Serves one connection. `react` gets a query and send(); it returns false to close.
class LoopbackPrimary {
  public:
    using Send = std::function<bool(const Bytes& message)>;
    using React = std::function<bool(const Bytes& query, const Send& send)>;

    explicit LoopbackPrimary(React react)
        : acceptor_(io_, {asio::ip::address_v4::loopback(), 0}),
          port_(acceptor_.local_endpoint().port()),
          thread_([this, to = std::move(react)] { serve(to); }) {}
    ~LoopbackPrimary() { thread_.join(); }
    LoopbackPrimary(const LoopbackPrimary&) = delete;
    LoopbackPrimary& operator=(const LoopbackPrimary&) = delete;

    [[nodiscard]] ExchangeRequest request() const {
        ExchangeRequest out;
        out.zone = wire(kServed);
        out.primary = {*IpAddress::parse("127.0.0.1"), port_, false};
        out.limits = {1 << 20, 1000};
        out.timeout = std::chrono::seconds(30);
        return out;
    }

  private:
    void serve(const React& react) {
        boost::system::error_code error;
        asio::ip::tcp::socket socket(io_);
        acceptor_.accept(socket, error);
        const Send send = [&](const Bytes& message) {
            Bytes out;
            put16(out, static_cast<std::uint16_t>(message.size()));
            put_bytes(out, message);
            asio::write(socket, asio::buffer(out), error);
            return !error;
        };
        while (!error) {
            std::array<std::uint8_t, 2> length{};
            asio::read(socket, asio::buffer(length), error);
            if (error) break;
            Bytes query(dns::load_be16(length.data()));
            asio::read(socket, asio::buffer(query), error);
            if (error || !react(query, send)) break;
        }
    }

    asio::io_context io_;
    asio::ip::tcp::acceptor acceptor_;
    std::uint16_t port_;
    std::thread thread_;
};

std::uint16_t id_of(const Bytes& query) {
    return dns::load_be16(query.data());
}

bool asks_soa(const Bytes& query) {
    return dns::load_be16(&query[dns::kHeaderSize + wire(kServed).size()]) == dns::kSoa;
}

Bytes answer_to(const Bytes& query, const std::string& text) {
    return response(id_of(query), kServed, dns::kAxfr, text);
}

Exchanged result_of(const LoopbackPrimary& primary) {
    return exchange(primary.request(), {});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(exchange_with_a_primary)

BOOST_AUTO_TEST_CASE(a_zone_is_transferred) {
    const LoopbackPrimary primary([](const Bytes& query, const LoopbackPrimary::Send& send) {
        return send(answer_to(query, asks_soa(query) ? soa(3) : soa(3) + "bad 60 CNAME .\n")) &&
               (asks_soa(query) || send(answer_to(query, soa(3))));
    });
    const Exchanged got = result_of(primary);
    BOOST_TEST((got.outcome == TransferOutcome::whole), got.why);
    BOOST_REQUIRE(got.image != nullptr);
    BOOST_TEST(got.image->records() == 2U);
    BOOST_TEST(*got.serial == 3U);
}

BOOST_AUTO_TEST_CASE(a_transfer_without_end_is_ended_by_its_size) {
    const LoopbackPrimary primary([](const Bytes& query, const LoopbackPrimary::Send& send) {
        if (asks_soa(query)) return send(answer_to(query, soa(3)));
        bool is_open = send(answer_to(query, soa(3)));
        for (unsigned i = 0; is_open; ++i)
            is_open = send(answer_to(query, "n" + std::to_string(i) + " 60 CNAME .\n"));
        return false;
    });
    const Exchanged got = result_of(primary);
    BOOST_TEST((got.outcome == TransferOutcome::too_large), got.why);
    BOOST_TEST(got.why.find("max_records") != std::string::npos, got.why);
}

BOOST_AUTO_TEST_CASE(messages_without_records_are_ended_by_their_size) {
    const LoopbackPrimary primary([](const Bytes& query, const LoopbackPrimary::Send& send) {
        if (asks_soa(query)) return send(answer_to(query, soa(3)));
        bool is_open = send(answer_to(query, soa(3)));
        while (is_open)
            is_open = send(answer_to(query, ""));
        return false;
    });
    const Exchanged got = result_of(primary);
    BOOST_TEST((got.outcome == TransferOutcome::too_large), got.why);
    BOOST_TEST(got.bytes <= (1U << 20) + 65'536);
}

BOOST_AUTO_TEST_CASE(a_silent_primary_is_ended_by_the_timeout) {
    const LoopbackPrimary primary([](const Bytes& query, const LoopbackPrimary::Send& send) {
        return !asks_soa(query) || send(answer_to(query, soa(3)));
    });
    ExchangeRequest request = primary.request();
    request.timeout = std::chrono::milliseconds(200);
    const Exchanged got = exchange(request, {});
    BOOST_TEST((got.outcome == TransferOutcome::too_slow), got.why);
}

BOOST_AUTO_TEST_CASE(a_stop_ends_a_transfer) {
    std::stop_source stop;
    const LoopbackPrimary primary([&](const Bytes& query, const LoopbackPrimary::Send& send) {
        if (asks_soa(query)) return send(answer_to(query, soa(3)));
        stop.request_stop();
        return true;
    });
    BOOST_TEST((exchange(primary.request(), stop.get_token()).outcome == TransferOutcome::stopped));
}

BOOST_AUTO_TEST_CASE(a_connection_that_closes_early_gives_no_zone) {
    const LoopbackPrimary primary([](const Bytes& query, const LoopbackPrimary::Send& send) {
        if (asks_soa(query)) return send(answer_to(query, soa(3)));
        send(answer_to(query, soa(3) + "bad 60 CNAME .\n"));
        return false;
    });
    const Exchanged got = result_of(primary);
    BOOST_TEST((got.outcome == TransferOutcome::unreachable), got.why);
    BOOST_TEST(got.image == nullptr);
}

BOOST_AUTO_TEST_CASE(a_message_with_another_id_is_refused) {
    const LoopbackPrimary primary([](const Bytes& query, const LoopbackPrimary::Send& send) {
        return send(
            response(static_cast<std::uint16_t>(id_of(query) + 1), kServed, dns::kSoa, soa(3)));
    });
    const Exchanged got = result_of(primary);
    BOOST_TEST((got.outcome == TransferOutcome::malformed), got.why);
}

BOOST_AUTO_TEST_CASE(an_older_zone_than_its_soa_promised_is_refused) {
    const LoopbackPrimary primary([](const Bytes& query, const LoopbackPrimary::Send& send) {
        return send(answer_to(query, asks_soa(query) ? soa(9) : soa(4) + soa(4)));
    });
    ExchangeRequest request = primary.request();
    request.have = 5;
    request.incremental = false;
    const Exchanged got = exchange(request, {});
    BOOST_TEST((got.outcome == TransferOutcome::malformed), got.why);
    BOOST_TEST(got.why.find("not newer") != std::string::npos, got.why);
}

// Several servers can share a primary's address, and one may lag. The zone here must not be taken
// for checked.
BOOST_AUTO_TEST_CASE(an_ixfr_that_contradicts_the_soa_is_followed_by_the_whole_zone) {
    for (const std::uint32_t serial : {5U, 4U}) {
        const LoopbackPrimary primary([&](const Bytes& query, const LoopbackPrimary::Send& send) {
            return send(answer_to(query, asks_soa(query) ? soa(9) : soa(serial)));
        });
        ExchangeRequest request = primary.request();
        request.have = 5;
        const Exchanged got = exchange(request, {});
        BOOST_TEST((got.outcome == TransferOutcome::malformed), got.why);
        BOOST_TEST(got.asks_whole);
    }
}

BOOST_AUTO_TEST_CASE(with_a_key_each_answer_must_be_signed) {
    const config::TsigKey key{wire("xfer.example"), "hmac-sha256", std::string(32, 7)};
    for (const bool signs : {true, false}) {
        const LoopbackPrimary primary([&](const Bytes& query, const LoopbackPrimary::Send& send) {
            const auto now_s = static_cast<std::uint64_t>(std::time(nullptr));
            const QueryCheck check = verify_query(query, key, now_s);
            if (!check.is_good) return false;
            Bytes answer = answer_to(query, asks_soa(query) ? soa(3) : soa(3) + soa(3));
            // The SOA's answer is signed in any case.
            if (signs || asks_soa(query)) sign_response(answer, key, check, now_s);
            return send(answer);
        });
        ExchangeRequest request = primary.request();
        request.key = key;
        const Exchanged got = exchange(request, {});
        BOOST_TEST(
            (got.outcome == (signs ? TransferOutcome::whole : TransferOutcome::bad_signature)),
            got.why);
        BOOST_TEST((got.image != nullptr) == signs);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::transfer::test
