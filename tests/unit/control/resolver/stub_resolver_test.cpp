#include "control/host/resolver/stub_resolver.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <thread>

#include "dataplane/dns/name.h"
#include "one_server.h"
#include "support/temp_folder.h"

using namespace steer::resolver;
using namespace steer::fetch_test;
using steer::test::TempFolder;

BOOST_AUTO_TEST_SUITE(stub_resolver)

namespace {

// A reply to A of lists.example with id 0x1234: an alias, then two addresses.
std::vector<std::uint8_t> reply() {
    return {0x12, 0x34, 0x81, 0x80, 0,   1,   0, 3,   0,   0,   0,   0,  // header
            5,    'l',  'i',  's',  't', 's', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0, 0,
            1,    0,    1,    0xc0, 12,  0,   5, 0,   1,   0,   0,   0,   60,  0,   4, 1,
            'c',  0xc0, 18,                                                                // CNAME
            0xc0, 43,   0,    1,    0,   1,   0, 0,   0,   60,  0,   4,   192, 0,   2, 1,  // A
            0xc0, 43,   0,    1,    0,   1,   0, 0,   0,   60,  0,   4,   192, 0,   2, 2};
}

ResolverReply read(const std::vector<std::uint8_t>& message, std::uint16_t id = 0x1234) {
    const auto name = steer::dns::name_from_text("lists.example");
    return read_reply(message, id, *name, 1);
}

}  // namespace

BOOST_AUTO_TEST_CASE(addresses_behind_a_cname_are_found) {
    const ResolverReply parsed = read(reply());
    BOOST_TEST((parsed.what == ResolverReply::What::answer));
    BOOST_TEST_REQUIRE(parsed.addresses.size() == 2U);
    BOOST_TEST(parsed.addresses[0].to_string() == "192.0.2.1");
    BOOST_TEST(parsed.addresses[1].to_string() == "192.0.2.2");
}

BOOST_AUTO_TEST_CASE(invalid_replies_give_no_address) {
    BOOST_TEST((read(reply(), 1).what == ResolverReply::What::nothing), "another's");
    auto other = reply();
    other[13] = 'x';
    BOOST_TEST((read(other).what == ResolverReply::What::nothing), "another question");
    auto cut = reply();
    cut[2] |= 0x02;
    BOOST_TEST((read(cut).what == ResolverReply::What::cut_off));
    for (const int rcode : {1, 2, 4, 5}) {
        auto failed = reply();
        failed[3] = static_cast<std::uint8_t>(0x80 | rcode);
        BOOST_TEST((read(failed).what == ResolverReply::What::nothing));
    }
    auto none = reply();
    none.resize(31);
    none[3] = 0x83;
    none[7] = 0;
    BOOST_TEST((read(none).what == ResolverReply::What::answer));
    BOOST_TEST(read(none).addresses.empty());
    const auto whole = reply();
    for (std::size_t n = 0; n < whole.size(); ++n)
        BOOST_TEST((read({whole.begin(), whole.begin() + static_cast<long>(n)}).what ==
                    ResolverReply::What::nothing));
}

// Ten guesses of the id, then the question goes over TCP: a forged address of an upstream would make
// all its replies forged.
BOOST_AUTO_TEST_CASE(ten_wrong_datagrams_turn_a_question_to_tcp) {
    namespace asio = boost::asio;
    using asio::ip::tcp;
    using asio::ip::udp;
    asio::io_context server;
    const auto here = asio::ip::make_address("127.0.0.1");
    tcp::acceptor acceptor(server, tcp::endpoint(here, 0));
    const std::uint16_t port = acceptor.local_endpoint().port();
    udp::socket datagrams(server, udp::endpoint(here, port));
    std::thread upstream([&] {
        std::vector<std::uint8_t> query(512);
        udp::endpoint client;
        query.resize(datagrams.receive_from(asio::buffer(query), client));
        auto forged = reply();
        for (unsigned i = 1; i <= 10; ++i) {
            forged[0] = query[0];
            forged[1] = static_cast<std::uint8_t>(query[1] + i);
            datagrams.send_to(asio::buffer(forged), client);
        }
        tcp::socket connection = acceptor.accept();
        std::vector<std::uint8_t> framed(2);
        asio::read(connection, asio::buffer(framed));
        framed.resize(std::size_t{framed[0]} << 8 | framed[1]);
        asio::read(connection, asio::buffer(framed));
        auto right = reply();
        right[0] = framed[0], right[1] = framed[1];
        std::vector<std::uint8_t> out{0, static_cast<std::uint8_t>(right.size())};
        out.insert(out.end(), right.begin(), right.end());
        asio::write(connection, asio::buffer(out));
    });
    asio::io_context io;
    Addresses found;
    AskOptions options;
    options.v6 = false;
    options.patience = {std::chrono::seconds(10), std::chrono::seconds(10)};
    asio::co_spawn(io,
                   ask("lists.example", {{*steer::IpAddress::parse("127.0.0.1"), port}},
                       std::chrono::steady_clock::now() + std::chrono::seconds(10), options),
                   [&](const std::exception_ptr&, Addresses addresses) { found = addresses; });
    io.run();
    upstream.join();
    BOOST_TEST(found.answered);
    BOOST_TEST(found.found.size() == 2U);
}

BOOST_AUTO_TEST_CASE(the_resolvers_of_resolv_conf_are_read) {
    const TempFolder folder;
    folder.write(
        "resolv.conf",
        "# a comment\nsearch example\nnameserver 192.0.2.1\nnameserver\t2001:db8::1\n"
        "nameserver nonsense\noptions edns0\nnameserver 192.0.2.3\nnameserver 192.0.2.4\n");
    const auto all = system_resolvers(folder / "resolv.conf");
    BOOST_TEST_REQUIRE(all.size() == 3U);
    BOOST_TEST(all[0].address.to_string() == "192.0.2.1");
    BOOST_TEST(all[1].address.to_string() == "2001:db8::1");
    BOOST_TEST(all[2].address.to_string() == "192.0.2.3");
    BOOST_TEST(system_resolvers(folder / "none").empty());
}

BOOST_AUTO_TEST_SUITE_END()
