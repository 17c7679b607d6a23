// Descriptors and memory: what the daemon keeps for itself, and what clients get.
#include "control/program/reload/connection_plan.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include "control/api/rpc/peer.h"
#include "control/config/load.h"
#include "control/host/process/descriptor_limit.h"
#include "support/temp_folder.h"

using namespace steer;

namespace {

constexpr std::uint64_t kPlanGiB = std::uint64_t{1} << 30;

ConnectionNeeds needs_of(const std::string& more) {
    const auto outcome = config::load_text(
        "plugins:\n"
        "  - { tag: main, type: sequence, args: [ { exec: \"forward udp://192.0.2.1\" } ] }\n"
        "  - { tag: t, type: tcp_server, args: { entry: main, listen: ':53' } }\n" +
            more,
        "test.yaml");
    BOOST_TEST_REQUIRE(outcome.ok());
    return connection_needs(outcome.settings, {});
}

std::shared_ptr<const stream::UpstreamTarget> target(config::UpstreamScheme scheme,
                                                     std::uint32_t most) {
    auto out = std::make_shared<stream::UpstreamTarget>();
    out->scheme = scheme;
    out->max_conns = most;
    return out;
}

// Everything that may be open at once.
std::uint64_t sum_of(const ConnectionNeeds& needs, const ConnectionPlan& plan) {
    const std::uint64_t pooled =
        std::min<std::uint64_t>(needs.pooled, plan.upstreams.pooled * needs.pools);
    return needs.at_start + needs.later +
           needs.threads * (plan.upstreams.udp + plan.upstreams.tcp + pooled + 1) + 1 +
           plan.by_files.value_or(needs.connections);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(connection_plan)

BOOST_AUTO_TEST_CASE(with_enough_descriptors_and_memory_nothing_is_limited) {
    const auto needs = needs_of("");
    const auto plan = plan_connections(needs, 65'536, 4 * kPlanGiB);
    BOOST_TEST(lack_of_files(plan).empty());
    BOOST_TEST(lack_of_memory(plan).empty());
    BOOST_TEST(plan.clients.places == stream::ClientLimits{}.places);
    BOOST_TEST(plan.clients.places_per_client == stream::ClientLimits{}.places_per_client);
    BOOST_TEST(plan.upstreams.udp == 4096U);
    BOOST_TEST(plan.upstreams.tcp == 256U);
    BOOST_TEST(plan.upstreams.pooled == stream::UpstreamSocketLimits{}.pooled);
}

BOOST_AUTO_TEST_CASE(own_sockets_come_first_where_descriptors_are_few) {
    auto needs = needs_of("");
    for (const std::uint64_t files : {256U, 512U, 1024U, 4096U, 8192U}) {
        for (const unsigned threads : {1U, 2U, 4U}) {
            needs.threads = threads;
            needs.pools = 4;
            needs.pooled = 256;
            const auto plan = plan_connections(needs, files, 0);
            BOOST_TEST_CONTEXT(files << " files, " << threads << " threads") {
                BOOST_TEST_REQUIRE(plan.by_files.has_value());
                BOOST_TEST(plan.clients.places == *plan.by_files);
                BOOST_TEST(plan.clients.places_per_client <=
                           std::max<std::uint64_t>(1, *plan.by_files / 2));
                if (threads == 1 || files > 512) BOOST_TEST(sum_of(needs, plan) <= files);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(
    with_256_descriptors_40_queries_can_wait_at_upstreams_and_clients_have_places) {
    const auto needs = needs_of("");
    const auto plan = plan_connections(needs, 256, 0);
    BOOST_TEST_REQUIRE(plan.by_files.has_value());
    BOOST_TEST(*plan.by_files >= 20U);
    BOOST_TEST(plan.upstreams.udp >= 40U);
    BOOST_TEST(sum_of(needs, plan) <= 256U);
}

BOOST_AUTO_TEST_CASE(tcp_is_possible_with_the_least_descriptors_of_a_start) {
    const auto plan = plan_connections(needs_of(""), 80, 0);
    BOOST_TEST_REQUIRE(plan.by_files.has_value());
    BOOST_TEST(*plan.by_files >= 1U);
    BOOST_TEST(plan.upstreams.udp >= 4U);
}

BOOST_AUTO_TEST_CASE(the_warning_has_both_numbers_and_a_limit_that_is_enough) {
    const auto needs = needs_of(
        "  - { tag: u, type: tcp_server, args: { entry: main, listen: ':54', max_connections: 500 "
        "} }\n");
    const auto plan = plan_connections(needs, 1024, 0);
    const std::string text = lack_of_files(plan);
    BOOST_TEST(text.find(std::to_string(*plan.by_files) + " connections in all, not the 10500") !=
               std::string::npos);
    BOOST_TEST(text.find("may open 1024 files") != std::string::npos);
    const std::uint64_t enough = enough_files(needs);
    BOOST_TEST(text.find("LimitNOFILE=" + std::to_string(enough)) != std::string::npos);
    BOOST_TEST(lack_of_files(plan_connections(needs, enough, 0)).empty());
    BOOST_TEST(!lack_of_files(plan_connections(needs, enough - 2 * 1024, 0)).empty());
}

BOOST_AUTO_TEST_CASE(connections_to_upstreams_are_kept_room_for_except_over_quic) {
    const auto outcome = config::load_text(
        "plugins: [ { tag: main, type: sequence, args: [ { exec: reject } ] } ]\n", "test.yaml");
    auto quic = std::make_shared<stream::UpstreamTarget>();
    quic->scheme = config::UpstreamScheme::quic;
    quic->fallback = config::UpstreamScheme::tls;
    quic->max_conns = 5;
    const auto needs =
        connection_needs(outcome.settings, {target(config::UpstreamScheme::udp, 64),
                                            target(config::UpstreamScheme::tls, 64),
                                            target(config::UpstreamScheme::h3, 64), quic});
    BOOST_TEST(needs.pools == 2U);
    BOOST_TEST(needs.pooled == 69U);
}

BOOST_AUTO_TEST_CASE(without_a_server_there_is_one_with_the_default_limits) {
    const auto outcome = config::load_text(
        "plugins: [ { tag: main, type: sequence, args: [ { exec: reject } ] } ]\n", "test.yaml");
    BOOST_TEST(connection_needs(outcome.settings, {}).connections ==
               config::StreamServer{}.max_connections);
}

BOOST_AUTO_TEST_CASE(servers_over_quic_need_no_descriptors) {
    const auto without = needs_of("");
    const auto with = needs_of(
        "  - { tag: q, type: quic_server, args: { entry: main, listen: ':853', cert: a.pem, key: "
        "a.key } }\n");
    BOOST_TEST(with.connections == without.connections);
}

BOOST_AUTO_TEST_CASE(memory_of_connections_is_an_eighth_of_the_containers) {
    const auto needs = needs_of(
        "  - { tag: d, type: tcp_server, args: { entry: main, listen: ':853', cert: a.pem, key: "
        "a.key } }\n");
    const auto plan = plan_connections(needs, 524'288, kPlanGiB / 4);
    BOOST_TEST(plan.clients.standing_bytes == kPlanGiB / 4 / 8);
    BOOST_TEST(plan.clients.held_bytes == kPlanGiB / 4 / 16);
    BOOST_TEST_REQUIRE(plan.by_memory.has_value());
    const std::string text = lack_of_memory(plan);
    BOOST_TEST(text.find(std::to_string(*plan.by_memory) + " connections in all, not the 20000") !=
               std::string::npos);
    BOOST_TEST(text.find("256 MiB") != std::string::npos);
    BOOST_TEST(lack_of_memory(plan_connections(needs, 524'288, 4 * kPlanGiB)).empty());
    // 500 phones by TLS stand, 100 more shake hands.
    BOOST_TEST(plan.clients.standing_bytes >=
               500 * stream::kSecureBytes + 100 * stream::kHandshakeBytes);
}

BOOST_AUTO_TEST_CASE(the_limit_of_another_process_is_read) {
    BOOST_TEST((descriptor_limit_of(::getpid()) == descriptor_limit()));
    BOOST_TEST(!descriptor_limit_of(0x7ffffff).has_value());
}

BOOST_AUTO_TEST_CASE(the_process_that_listens_on_a_socket_is_found) {
    test::TempFolder folder;
    const std::string path = (folder.path / "s").string();
    BOOST_TEST(!ops::listener_at(path).has_value());
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    path.copy(&at.sun_path[0], path.size());
    const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    BOOST_REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
    BOOST_TEST(!ops::listener_at(path).has_value());
    BOOST_REQUIRE(::listen(socket, 1) == 0);
    BOOST_TEST((ops::listener_at(path) == ::getpid()));
    ::close(socket);
}

BOOST_AUTO_TEST_CASE(sessions_of_the_page_are_fewer_where_descriptors_are_few) {
    BOOST_TEST(sessions_within(256, 524'288) == 256U);
    BOOST_TEST(sessions_within(256, 4096) == 256U);
    BOOST_TEST(sessions_within(256, 256) == 16U);
    BOOST_TEST(sessions_within(64, 80) == 8U);
}

BOOST_AUTO_TEST_SUITE_END()
