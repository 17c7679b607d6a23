// Which claims a router's service gives to the other boxes.
#include "control/sinks/routers/router_service.h"

#include <boost/test/unit_test.hpp>

#include "support/silent_router.h"

namespace steer {
namespace {

struct DeafObserver final : SinkObserver {
    void installed(const ClaimSink&, ListId, const IpAddress&, std::uint32_t) override {}
    void ended(const ClaimSink&, ListId, const IpAddress&) override {}
    void lost(const ClaimSink&, ListId, const IpAddress&) override {}
    void refused(const ClaimSink&, ListId, const IpAddress&, RefusedFor) override {}
    void epoch(const ClaimSink&, ListId) override {}
    void away(const ClaimSink&, ListId, bool) override {}
    void settled(std::uint64_t, Outcome) override {}
};

struct KeptPeers final : ClaimPeers {
    void follow(std::vector<PeerRouter>) override {}
    void claimed(const std::string& router, const Claim& claim) override {
        for (const IpAddress& address : claim.addresses)
            given.push_back(router + " " + address.to_string());
    }
    void flush() override {}
    void stop() override {}
    [[nodiscard]] bool has_stopped() const override { return true; }
    std::vector<std::string> given;
};

// The others do not know the client, so they would take the claim and fill the list with it.
BOOST_AUTO_TEST_CASE(a_refused_claim_is_not_given_to_other_boxes) {
    routeros::RouterConfig config = test::one_list_config();
    config.lists.front().max_per_client = 1;
    test::SilentLink link;
    DeafObserver observer;
    KeptPeers peers;
    RouterService service(config, {{3, "policy"}}, link, observer,
                          [](routeros::Level, const std::string&) {});
    service.share_with(&peers);
    const IpAddress client = *IpAddress::parse("192.0.2.1");
    const std::array addresses{*IpAddress::parse("203.0.113.1"), *IpAddress::parse("203.0.113.2")};
    const auto ask = [&](const IpAddress* by) {
        service.claim({.list = 3,
                       .addresses = addresses,
                       .name = "www.example",
                       .client = by,
                       .raised_ms = 1'000,
                       .lease_end_ms = 60'000,
                       .row_life_s = 330},
                      1'000);
    };
    ask(&client);
    BOOST_TEST(peers.given == std::vector<std::string>{"edge1 203.0.113.1"},
               boost::test_tools::per_element());
    ask(nullptr);
    BOOST_TEST(peers.given.size() == 3U);
    ask(&client);  // both are claimed now
    BOOST_TEST(peers.given.size() == 5U);
}

}  // namespace
}  // namespace steer
