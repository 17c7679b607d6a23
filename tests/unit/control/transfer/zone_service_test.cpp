// All secondaries with primaries that are functions, a clock that the test sets, and no workers.
#include "control/sources/transfer/zone_service.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <condition_variable>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <new>
#include <stdexcept>

#include "support/temp_folder.h"
#include "zone_maker.h"

namespace steer::transfer::test {
namespace {

class SetClock final : public Clock {
  public:
    Now now() override { return {ms, 0}; }
    std::uint64_t ms = 1'000'000;
};

const IpAddress kSender = *IpAddress::parse("192.0.2.1");

boost::json::object row_of(ZoneService& service, const std::string& tag) {
    ops::Methods methods;
    service.add_methods(methods);
    boost::json::object out;
    methods.call(*methods.find("zones"), boost::json::object{}, [&](const ops::RpcResult& result) {
        for (const auto& row : result->as_object().at("zones").as_array()) {
            if (row.at("tag").as_string() == tag) out = row.as_object();
        }
    });
    return out;
}

struct Service {
    explicit Service(bool is_local = false, bool feeds_lists = false) {
        qsbr = static_cast<rte_rcu_qsbr*>(std::aligned_alloc(64, rte_rcu_qsbr_get_memsize(1)));
        BOOST_REQUIRE(qsbr != nullptr && rte_rcu_qsbr_init(qsbr, 1) == 0);
        plan.tag = "feed";
        plan.settings.zone = wire("rpz.example");
        plan.settings.primaries = {{kSender, 53, false}};
        plan.settings.max_bytes = 1 << 20;
        plan.settings.max_records = 1000;
        plan.settings.min_refresh = config::Milliseconds{1000};
        plan.settings.max_refresh = config::Milliseconds{86'400'000};
        plan.feeds_lists = feeds_lists;
        if (is_local) {
            plan.local = std::make_shared<LivePolicy>();
        } else {
            plan.policy = std::make_shared<LivePolicy>();
        }
        service = std::make_unique<ZoneService>(
            io, clock, qsbr, [this](bool, const std::string& line) { lines.push_back(line); },
            [this](const std::string& what) { reloads.push_back(what); },
            [this](const ExchangeRequest& request, const std::stop_token&) {
                return answer(request);
            });
    }
    ~Service() {
        service.reset();
        std::free(qsbr);
    }
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    // On a thread of the service.
    Exchanged answer(const ExchangeRequest& request) {
        const std::lock_guard lock(mutex);
        ++asked;
        Exchanged out;
        if (lacks_memory) throw std::bad_alloc();
        if (is_away) {
            out.outcome = TransferOutcome::unreachable;
            out.why = "connecting failed";
        } else if (request.have && *request.have == serial) {
            out.outcome = TransferOutcome::unchanged;
        } else {
            out.outcome = TransferOutcome::whole;
            out.image = image_of(
                soa(serial) + "bad 60 CNAME .\nnas 60 A 192.0.2.5\n*.wild 60 A 192.0.2.6\n",
                "rpz.example");
        }
        return out;
    }
    void set(const std::function<void()>& change) {
        const std::lock_guard lock(mutex);
        change();
    }
    unsigned checks() {
        const std::lock_guard lock(mutex);
        return asked;
    }
    void start() {
        service->follow({{plan}, targets});
        settle();
    }
    // `ms` later, with all checks that become due, and their ends.
    void pass(std::uint64_t ms) {
        clock.ms += ms;
        service->poll();
        settle();
    }
    // Until no check runs.
    void settle() {
        io.restart();
        io.poll();
        while (row("state") == "transfer")
            io.run_one();
    }
    // A member of the zone's row.
    std::string row(const char* key) const {
        const boost::json::value value = row_of(*service, plan.tag).at(key);
        return value.is_string() ? std::string(value.as_string()) : boost::json::serialize(value);
    }
    std::size_t lines_with(const std::string& text) const {
        return static_cast<std::size_t>(std::ranges::count_if(
            lines, [&](const std::string& line) { return line.find(text) != std::string::npos; }));
    }
    // Checks in ten seconds of a flood of NOTIFYs.
    unsigned flood() {
        const unsigned before = checks();
        for (int step = 0; step < 100; ++step) {
            for (int i = 0; i < 50; ++i)
                BOOST_TEST(!notify().empty());
            pass(100);
        }
        return checks() - before;
    }
    Bytes notify() {
        return service->notify(
            kSender, ClientTransport::udp,
            response(7, "rpz.example", dns::kSoa, "", dns::kOpcodeNotify | dns::kAa));
    }

    boost::asio::io_context io;
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard{
        io.get_executor()};
    SetClock clock;
    rte_rcu_qsbr* qsbr = nullptr;
    build::SecondaryPlan plan;
    std::shared_ptr<LiveTargets> targets = std::make_shared<LiveTargets>();
    std::mutex mutex;
    unsigned asked = 0;
    bool is_away = false, lacks_memory = false;
    std::uint32_t serial = 1;
    std::vector<std::string> lines, reloads;
    std::unique_ptr<ZoneService> service;
};

// Exchanges with 192.0.2.1 wait until let_go(), or until they are stopped.
struct SlowPrimary {
    explicit SlowPrimary(boost::asio::io_context& of_test) : io(of_test) {}
    Exchanged answer(const ExchangeRequest& request, const std::stop_token& stop) {
        std::unique_lock lock(mutex);
        asked.push_back(request.primary.address);
        boost::asio::post(io, [] {});  // wakes a test that waits for this request
        Exchanged out;
        if (request.primary.address == kSender) changed.wait(lock, stop, [&] { return is_let_go; });
        out.outcome = TransferOutcome::unreachable;
        if (!stop.stop_requested()) return out;
        out.outcome = TransferOutcome::stopped;
        ++stopped;
        return out;
    }
    void let_go() {
        const std::lock_guard lock(mutex);
        is_let_go = true;
        changed.notify_all();
    }
    std::size_t count(const IpAddress& address) {
        const std::lock_guard lock(mutex);
        return static_cast<std::size_t>(std::ranges::count(asked, address));
    }
    unsigned ended_early() {
        const std::lock_guard lock(mutex);
        return stopped;
    }
    boost::asio::io_context& io;
    std::mutex mutex;
    std::condition_variable_any changed;
    std::vector<IpAddress> asked;
    unsigned stopped = 0;
    bool is_let_go = false;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(zone_service)

BOOST_AUTO_TEST_CASE(a_flood_of_notifies_causes_one_check_and_one_line_a_second) {
    Service one;
    one.start();
    BOOST_TEST(one.checks() == 1U);
    BOOST_TEST((one.plan.policy->load() != nullptr));
    const unsigned good = one.flood();
    BOOST_TEST(good >= 9U);
    BOOST_TEST(good <= 11U);
    BOOST_TEST(one.lines_with("NOTIFY from 192.0.2.1") <= 12U);
    // The same while checks fail.
    one.set([&] { one.is_away = true; });
    const unsigned failed = one.flood();
    BOOST_TEST(failed >= 9U);
    BOOST_TEST(failed <= 11U);
    BOOST_TEST(one.lines_with("no transfer from") == 1U);
}

BOOST_AUTO_TEST_CASE(an_expired_local_zone_is_withdrawn_until_a_primary_confirms_it) {
    Service one(true);
    one.start();
    BOOST_TEST((one.plan.local->load() != nullptr));
    const auto names = [&one] {
        std::string out;
        one.service->each_name([&out](const std::string& tag, const config::RecordName& named) {
            out += tag + " " + named.address.to_string() + " " + named.name + ";";
        });
        return out;
    };
    BOOST_TEST(names() == "feed 192.0.2.5 nas.rpz.example;");
    one.set([&] { one.is_away = true; });
    one.pass(2'592'000'000);
    BOOST_TEST((one.plan.local->load() == nullptr));
    BOOST_TEST(names().empty());
    BOOST_TEST(one.row("state") == "expired");
    one.set([&] { one.is_away = false; });
    one.pass(900'000);
    BOOST_TEST(one.row("outcome") == "unchanged");
    BOOST_TEST(one.row("state") == "in force");
    BOOST_TEST((one.plan.local->load() != nullptr));
    BOOST_TEST(names() == "feed 192.0.2.5 nas.rpz.example;");
}

BOOST_AUTO_TEST_CASE(an_expired_policy_zone_stays_in_force) {
    Service one;
    one.start();
    one.set([&] { one.is_away = true; });
    one.pass(2'592'000'000);
    BOOST_TEST((one.plan.policy->load() != nullptr));
    BOOST_TEST(one.row("state") == "expired");
    BOOST_REQUIRE_EQUAL(one.service->problems().size(), 1U);
    BOOST_TEST(one.service->problems()[0].find("stays in force") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(without_memory_for_a_transfer_the_zone_stays) {
    Service one;
    one.start();
    one.set([&] { one.lacks_memory = true; });
    one.pass(3'600'000);
    BOOST_TEST(one.row("outcome") == "too_large");
    BOOST_TEST(one.row("serial") == "1");
    BOOST_TEST((one.plan.policy->load() != nullptr));
    one.set([&] {
        one.lacks_memory = false;
        one.serial = 2;
    });
    one.pass(900'000);
    BOOST_TEST(one.row("serial") == "2");
    BOOST_TEST(one.plan.policy->load()->serial == 2U);
}

BOOST_AUTO_TEST_CASE(another_zone_of_a_tag_keeps_no_part_of_the_one_before) {
    Service one;
    one.start();
    BOOST_TEST(one.row("serial") == "1");
    one.set([&] { one.is_away = true; });
    one.plan.settings.zone = wire("other.example");
    one.start();
    BOOST_TEST((one.plan.policy->load() == nullptr));
    for (const auto& [key, value] : {std::pair{"zone", "other.example"},
                                     {"serial", "null"},
                                     {"records", "0"},
                                     {"checked_ago_s", "null"},
                                     {"memory_bytes", "0"},
                                     {"outcome", "unreachable"}})
        BOOST_TEST(one.row(key) == value, key);
    BOOST_TEST(one.service->missing().find("was not transferred yet") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(slow_zones_of_one_primary_leave_threads_to_others) {
    const IpAddress other = *IpAddress::parse("192.0.2.9");
    Service one;
    SlowPrimary primaries(one.io);
    ZoneService service(
        one.io, one.clock, one.qsbr, [](bool, const std::string&) {}, [](const std::string&) {},
        [&](const ExchangeRequest& request, const std::stop_token& stop) {
            return primaries.answer(request, stop);
        });
    build::SecondaryPlans plans{{}, one.targets};
    for (std::size_t i = 0; i < 2 * ZoneService::kThreads; ++i) {
        one.plan.tag = "slow" + std::to_string(10 + i);
        one.plan.policy = std::make_shared<LivePolicy>();
        plans.zones.push_back(one.plan);
    }
    one.plan.tag = "zfast";
    one.plan.policy = std::make_shared<LivePolicy>();
    one.plan.settings.primaries = {{other, 53, false}};
    plans.zones.push_back(one.plan);
    service.follow(plans);
    const auto wait_for = [&](const std::function<bool()>& is_done) {
        while (!is_done())
            one.io.run_one();
    };
    const auto is_checked = [&](const std::string& tag) {
        const auto outcome = row_of(service, tag).at("outcome");
        return !outcome.is_null();
    };
    wait_for([&] { return is_checked("zfast"); });
    BOOST_TEST(primaries.count(other) == 1U);
    wait_for([&] { return primaries.count(kSender) == ZoneService::kMostPerPrimary; });
    // A removed secondary, and a changed one, give their threads to the next ones of their primary.
    plans.zones.erase(plans.zones.begin(), plans.zones.begin() + 2);
    service.follow(plans);
    wait_for([&] { return primaries.count(kSender) == 2 * ZoneService::kMostPerPrimary; });
    BOOST_TEST(primaries.ended_early() == 2U);
    for (const std::size_t i : {0U, 1U})
        plans.zones[i].settings.timeout += config::Milliseconds{1000};
    service.follow(plans);
    wait_for([&] { return primaries.count(kSender) == 3 * ZoneService::kMostPerPrimary; });
    BOOST_TEST(primaries.ended_early() == 4U);
    primaries.let_go();
    wait_for([&] { return is_checked("slow25"); });
}

// Both write the same files.
BOOST_DATA_TEST_CASE(another_zone_of_a_tag_waits_for_the_job_of_the_one_before,
                     boost::unit_test::data::make({false, true}), is_removed_first) {
    Service one;
    std::mutex mutex;
    std::condition_variable changed;
    bool is_let_go = false;
    unsigned running = 0, most = 0;
    {
        ZoneService service(
            one.io, one.clock, one.qsbr, [](bool, const std::string&) {}, [](const std::string&) {},
            [&](const ExchangeRequest&, const std::stop_token&) {  // ends late, as a slow disk does
                std::unique_lock lock(mutex);
                most = std::max(most, ++running);
                changed.notify_all();
                changed.wait(lock, [&] { return is_let_go; });
                --running;
                return Exchanged{.outcome = TransferOutcome::unreachable};
            });
        service.follow({{one.plan}, one.targets});
        {
            std::unique_lock lock(mutex);
            changed.wait(lock, [&] { return running == 1; });
        }
        if (is_removed_first) service.follow({{}, one.targets});
        one.plan.settings.zone = wire("other.example");
        service.follow({{one.plan}, one.targets});
        one.clock.ms += 60'000;
        service.poll();
        BOOST_TEST(row_of(service, "feed").at("state").as_string() == "missing");
        {
            const std::lock_guard lock(mutex);
            is_let_go = true;
            changed.notify_all();
        }
        while (row_of(service, "feed").at("outcome").is_null())
            one.io.run_one();
    }
    BOOST_TEST(most == 1U);
}

BOOST_AUTO_TEST_CASE(an_exception_of_a_check_is_its_result) {
    Service one;
    ZoneService service(
        one.io, one.clock, one.qsbr, [](bool, const std::string&) {}, [](const std::string&) {},
        [](const ExchangeRequest&, const std::stop_token&) -> Exchanged {
            throw std::runtime_error("too many open files");
        });
    service.follow({{one.plan}, one.targets});
    while (row_of(service, "feed").at("outcome").is_null())
        one.io.run_one();
    BOOST_TEST(row_of(service, "feed").at("trouble").as_string() == "too many open files");
    BOOST_TEST(service.problems().at(0).find("was not transferred: too many open files") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(refused_signatures_are_one_line_a_minute) {
    Service one;
    one.plan.settings.tsig =
        config::TsigKey{wire("key.example"), "hmac-sha256", std::string(32, 7)};
    one.start();
    for (int second = 0; second <= 60; ++second) {
        (void)one.notify();
        one.pass(1000);
    }
    BOOST_TEST(one.lines_with("was refused: it is not signed") == 2U);
}

BOOST_AUTO_TEST_CASE(changes_of_lists_share_a_reload) {
    const steer::test::TempFolder folder;
    Service one(false, true);
    one.plan.settings.list_file = folder / "feed.zone";
    one.start();
    BOOST_TEST(one.reloads.size() == 1U);
    for (std::uint32_t serial = 2; serial < 5; ++serial) {
        one.set([&] { one.serial = serial; });
        (void)one.notify();
        one.settle();
        one.pass(1000);
    }
    BOOST_TEST(one.row("serial") == "4");
    BOOST_TEST(one.reloads.size() == 1U);
    one.pass(2000);
    BOOST_TEST(one.reloads.size() == 2U);
    one.pass(60'000);
    BOOST_TEST(one.reloads.size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::transfer::test
