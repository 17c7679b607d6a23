// The lists of a running daemon: who waits for a fetch waits until the changed copies are in force.
#include "control/sources/fetch/fetcher.h"

#include <boost/json/value.hpp>
#include <boost/test/unit_test.hpp>

#include "one_server.h"
#include "support/temp_folder.h"

using namespace steer::fetch;
using namespace steer::fetch_test;
using steer::test::TempFolder;

BOOST_AUTO_TEST_SUITE(fetcher)

namespace {

// A daemon that puts lists into force when the test says so.
struct World {
    World() : server([this](const std::string&) { return OneServer::Reply{ok(body)}; }) {
        steer::config::Settings settings;
        settings.remote_lists.push_back(
            {server.url(), folder / "list", {{"domain_set", "", "", {}}}, true});
        fetcher.follow(settings);
    }
    // Runs the main thread until `done` or for ten seconds.
    bool run_until(const std::function<bool()>& done) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
        while (!done() && std::chrono::steady_clock::now() < end) {
            io.restart();
            io.run_one_for(std::chrono::milliseconds(100));
        }
        return done();
    }
    void run_all() {
        io.restart();
        io.poll();
    }

    TempFolder folder;
    std::string body = "one.example\n";
    OneServer server;
    boost::asio::io_context io;
    std::vector<std::string> reloads;
    std::vector<Fetcher::Done> in_force;
    Fetcher fetcher{io,
                    [this](const std::string& what, Fetcher::Done done) {
                        reloads.push_back(what);
                        in_force.push_back(std::move(done));
                    },
                    [](bool, const std::string&) {}};
};

}  // namespace

BOOST_AUTO_TEST_CASE(fetch_is_done_when_the_changed_list_is_in_force) {
    World world;
    bool done = false;
    world.fetcher.fetch_now([&] { done = true; });
    BOOST_REQUIRE(world.run_until([&] { return !world.reloads.empty(); }));
    BOOST_TEST(world.reloads.front() == "a new " + world.server.url());
    world.run_all();
    BOOST_TEST(!done);
    world.in_force.front()();
    BOOST_TEST(world.run_until([&] { return done; }));
    BOOST_TEST(world.reloads.size() == 1U);
}

BOOST_AUTO_TEST_CASE(fetch_of_an_unchanged_list_waits_for_an_earlier_change_only) {
    World world;
    unsigned done = 0;
    world.fetcher.fetch_now([&] { ++done; });
    BOOST_REQUIRE(world.run_until([&] { return !world.reloads.empty(); }));
    // The reload still runs; the list is the same again.
    world.fetcher.fetch_now([&] { ++done; });
    const auto outcome = [&] { return world.fetcher.status().at("lists").at(0).at("outcome"); };
    BOOST_REQUIRE(world.run_until([&] { return outcome() == "unchanged"; }));
    BOOST_TEST(done == 0U);
    world.in_force.front()();
    BOOST_TEST(world.run_until([&] { return done == 2; }));
    world.fetcher.fetch_now([&] { ++done; });
    BOOST_TEST(world.run_until([&] { return done == 3; }));
    BOOST_TEST(world.reloads.size() == 1U);
}

BOOST_AUTO_TEST_CASE(figures_of_a_list_are_absent_before_its_first_fetch) {
    World world;
    const auto row = [&] { return world.fetcher.status().at("lists").at(0); };
    BOOST_TEST(row().at("rules").is_null());
    BOOST_TEST(row().at("bytes").is_null());
    world.fetcher.fetch_now([] {});
    BOOST_REQUIRE(world.run_until([&] { return !world.reloads.empty(); }));
    BOOST_TEST(row().at("rules").to_number<int>() == 1);
    BOOST_TEST(row().at("bytes").to_number<int>() == 12);
}

BOOST_AUTO_TEST_SUITE_END()
