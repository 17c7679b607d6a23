// The daemon's end of steerdns-sets. The test is the process's voice; a child that waits for its end stands for the rest.
#define BOOST_TEST_MODULE kernel_sets
#include "control/sinks/kernel_sets/set_sink.h"

#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/host/process/restart_backoff.h"
#include "control/host/process/sequenced_socket.h"
#include "control/sinks/routers/needed_lists.h"

namespace steer::kernel_sets {
namespace {

using namespace std::chrono_literals;

const sets::SetName kFour{"inet", "fw", "four", false};
const IpAddress kA = *IpAddress::parse("203.0.113.7");
const IpAddress kB = *IpAddress::parse("203.0.113.8");

struct Observed final : SinkObserver {
    void installed(const ClaimSink&, ListId list, const IpAddress& address,
                   std::uint32_t until_s) override {
        rows.push_back({list, address, until_s});
    }
    void ended(const ClaimSink&, ListId, const IpAddress&) override {}
    void lost(const ClaimSink&, ListId, const IpAddress&) override {}
    void refused(const ClaimSink&, ListId, const IpAddress& address, RefusedFor whom) override {
        BOOST_TEST((whom == RefusedFor::all || whom == RefusedFor::client));
        refusals.push_back(address);
    }
    void refused_later(const ClaimSink&, ListId, const IpAddress& address, RefusedFor whom,
                       std::string_view name, const IpAddress& client) override {
        later.push_back({address, whom, std::string(name), client});
    }
    void epoch(const ClaimSink&, ListId list) override { ++epochs[list]; }
    void away(const ClaimSink&, ListId list, bool value) override { is_away[list] = value; }
    void settled(std::uint64_t token, Outcome outcome) override {
        BOOST_TEST(outcomes.emplace(token, outcome).second);  // once
    }
    struct Later {
        IpAddress address;
        RefusedFor whom;
        std::string name;
        IpAddress client;
    };
    std::vector<sets::Installed> rows;
    std::vector<IpAddress> refusals;
    std::vector<Later> later;
    std::map<ListId, unsigned> epochs;
    std::map<ListId, bool> is_away;
    std::map<std::uint64_t, Outcome> outcomes;  // of tokens
};

// No descriptor more than there are, until it is given back.
class NoMoreDescriptors {
  public:
    NoMoreDescriptors() {
        BOOST_REQUIRE_EQUAL(::getrlimit(RLIMIT_NOFILE, &before_), 0);
        const Descriptor next(::dup(STDIN_FILENO));
        rlimit now = before_;
        now.rlim_cur = static_cast<rlim_t>(next.get());
        BOOST_REQUIRE_EQUAL(::setrlimit(RLIMIT_NOFILE, &now), 0);
    }
    ~NoMoreDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    NoMoreDescriptors(const NoMoreDescriptors&) = delete;
    NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;

  private:
    rlimit before_{};
};

// A child that lives until it is killed, or its standard input ends.
StartedChild start_cat(SequencedSocket& theirs) {
    auto [ours, other] = SequencedSocket::pair(sets::kMaxMessage);
    BOOST_REQUIRE(ours.get() >= 0);
    theirs = SequencedSocket(std::move(other), sets::kMaxMessage);
    std::array<int, 2> pipe{};
    BOOST_REQUIRE_EQUAL(::pipe2(pipe.data(), O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, pipe[0], STDIN_FILENO);
    std::string name = "cat";
    std::array<char*, 2> arguments{name.data(), nullptr};
    pid_t pid = 0;
    BOOST_REQUIRE_EQUAL(
        ::posix_spawn(&pid, "/bin/cat", &actions, nullptr, arguments.data(), environ), 0);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(pipe[0]);  // the writing end stays open with this process
    return {std::move(ours),
            ChildProcess(pid, Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))))};
}

struct Place {
    Result<StartedChild> start() {
        ++starts;
        starved.reset();
        if (refusals > 0) {
            --refusals;
            return Error{"steerdns-sets is not there"};
        }
        auto started = start_cat(helper);
        pid = started.process.pid();
        socket = started.socket.get();
        if (starves > 0) {
            --starves;
            starved.emplace();
        }
        return {boost::system::in_place_value, std::move(started)};
    }
    static sets::SetPlan plan(std::uint32_t most = 1000) {
        return {.list = 7, .tag = "policy", .families = {{kFour, 32}}, .max_elements = most};
    }
    void until(const std::function<bool()>& holds) {
        io.restart();
        while (!holds())
            BOOST_TEST_REQUIRE(io.run_one_for(10s) > 0U);
    }
    void begin() {
        sink.configure({plan()});
        until([&] { return starts == 1; });
    }
    void claim(unsigned times = 1) {
        const Claim one{.list = 7, .addresses = {&kA, 1}, .raised_ms = 1'500, .row_life_s = 60};
        for (unsigned i = 0; i < times; ++i)
            sink.claim(one, 2'000);
        sink.flush();
    }
    // `count` rows that live until 62 s.
    void claim_rows(unsigned first, unsigned count, std::uint64_t now_ms = 2'000) {
        for (unsigned n = first; n < first + count; ++n) {
            const std::uint8_t four[] = {10, static_cast<std::uint8_t>(n >> 16),
                                         static_cast<std::uint8_t>(n >> 8),
                                         static_cast<std::uint8_t>(n)};
            const IpAddress address = IpAddress::from_v4(four);
            sink.claim(
                {.list = 7, .addresses = {&address, 1}, .raised_ms = 1'500, .row_life_s = 60},
                now_ms);
        }
        sink.flush();
    }
    // The next message that the process gets of this kind; those before are passed over.
    template <class What>
    std::optional<What> next(std::uint32_t* plans = nullptr) {
        for (;;) {
            std::string_view bytes;
            if (helper.receive(bytes, false) != SequencedSocket::End::done) return {};
            auto message = sets::decode(bytes);
            BOOST_TEST_REQUIRE(message.has_value());
            if (plans != nullptr) *plans = message->plans;
            if (auto* const what = std::get_if<What>(&message->what)) return std::move(*what);
        }
    }
    void say(const std::string& message) {
        BOOST_TEST_REQUIRE((helper.send(message, true) == SequencedSocket::End::done));
    }
    void say_ready(std::uint32_t plans, std::uint64_t added = 0) {
        say(sets::encode_state(
            plans,
            {.total = 1,
             .write_us = 40,
             .status = {.set = kFour, .ready = true, .claims = 1, .counters = {.added = added}}}));
    }
    // The set has `claims` of 1000 elements, and dropped `full` claims so far.
    void say_full(std::uint32_t plans, std::uint64_t full, std::size_t claims) {
        say(sets::encode_state(
            plans,
            {.total = 1,
             .status = {
                 .set = kFour, .ready = true, .claims = claims, .counters = {.full = full}}}));
    }
    void say_refused(std::uint32_t plans) {
        const sets::RefusedRow row{{{7, kA, 62}}};
        say(sets::encode_refused(plans, std::span(&row, 1)));
    }
    // All messages before were taken.
    void hear() {
        const std::size_t lines = log.size();
        say(sets::encode_log(sets::Level::info, "so far"));
        until([&] { return log.size() > lines; });
    }
    void say_written(std::uint32_t plans, const IpAddress& address = kA) {
        const sets::Installed row{7, address, 62};
        say(sets::encode_written(plans, std::span(&row, 1)));
    }
    // An answer with both addresses waits.
    void hold(std::uint64_t token) {
        const std::array addresses{kA, kB};
        sink.claim({.list = 7,
                    .addresses = addresses,
                    .raised_ms = 1'500,
                    .row_life_s = 60,
                    .hold_token = token},
                   2'000);
        sink.flush();
    }
    // Returns once it has ended; it is not reaped.
    void kill() const {
        BOOST_REQUIRE_EQUAL(::kill(pid, SIGKILL), 0);
        siginfo_t info;
        BOOST_REQUIRE_EQUAL(::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT), 0);
    }
    // It runs and its set is ready, with so many elements added; the number of its plans.
    std::uint32_t become_ready(std::uint64_t added = 0) {
        std::uint32_t number = 0;
        BOOST_TEST_REQUIRE((next<sets::PlansEnd>(&number).has_value()));
        say_ready(number, added);
        until([&] { return observed.is_away.contains(7) && !observed.is_away.at(7); });
        return number;
    }

    boost::asio::io_context io;
    Observed observed;
    std::vector<std::string> log;
    SequencedSocket helper;
    unsigned starts = 0, refusals = 0, starves = 0;
    std::optional<NoMoreDescriptors> starved;
    pid_t pid = 0;
    int socket = -1;  // the sink's
    SetSink sink{io, observed, [this] { return start(); },
                 [this](sets::Level, const std::string& line) { log.push_back(line); },
                 RestartBackoff(1ms, 2ms)};
};

BOOST_FIXTURE_TEST_SUITE(set_sink, Place)

BOOST_AUTO_TEST_CASE(without_a_list_no_process_is_started) {
    sink.configure({});
    BOOST_TEST(io.poll() == 0U);
    BOOST_TEST(starts == 0U);
}

BOOST_AUTO_TEST_CASE(the_process_gets_plans_then_claims_and_its_messages_reach_the_observer) {
    claim();  // before it runs
    begin();
    BOOST_TEST(sink.lists().size() == 1U);
    std::uint32_t number = 0;
    const auto part = next<sets::PlanPart>(&number);
    BOOST_TEST_REQUIRE(part.has_value());
    BOOST_TEST((part->plan == plan()));
    const auto claims = next<sets::ClaimRows>();
    BOOST_TEST_REQUIRE(claims.has_value());
    BOOST_TEST_REQUIRE(claims->rows.size() == 1U);
    BOOST_TEST(claims->rows[0].what.until_s == 62U);  // 1.5 s, rounded up, and 60 s
    say_ready(number);
    say_written(number);
    until([&] { return !observed.rows.empty(); });
    BOOST_TEST(observed.rows[0].until_s == 62U);
    BOOST_TEST(!observed.is_away.at(7));
    BOOST_TEST(sink.report().running);
    BOOST_TEST(sink.report().sets.at(0).ready);
    const SinkHealth health = sink.health();
    BOOST_TEST(
        (!health.away && health.rows == 1 && health.capacity == 1000 && health.write_us == 40));
}

BOOST_AUTO_TEST_CASE(no_answer_waits_for_a_set_that_is_away) {
    hold(5);
    begin();
    hold(6);
    BOOST_TEST(observed.outcomes.size() == 2U);
    BOOST_TEST((observed.outcomes.at(5) == Outcome::router_away));
    BOOST_TEST((observed.outcomes.at(6) == Outcome::router_away));
}

BOOST_AUTO_TEST_CASE(an_answer_waits_until_all_its_rows_are_written) {
    begin();
    const std::uint32_t number = become_ready();
    hold(5);
    say_written(number, kB);
    until([&] { return observed.rows.size() == 1; });
    BOOST_TEST(observed.outcomes.empty());
    say_written(number);
    until([&] { return !observed.outcomes.empty(); });
    BOOST_TEST((observed.outcomes.at(5) == Outcome::installed));
}

BOOST_AUTO_TEST_CASE(an_answer_does_not_wait_for_a_row_that_the_set_refuses) {
    begin();
    const std::uint32_t number = become_ready();
    hold(5);
    const sets::RefusedRow row{{{7, kB, 62}}};
    say(sets::encode_refused(number, std::span(&row, 1)));
    until([&] { return !observed.outcomes.empty(); });
    BOOST_TEST((observed.outcomes.at(5) == Outcome::refused));
    BOOST_TEST(observed.refusals.size() == 1U);
    BOOST_TEST((observed.refusals.front() == kB));
    BOOST_TEST(observed.rows.empty());
}

BOOST_AUTO_TEST_CASE(answers_that_wait_go_on_when_the_process_ends_or_the_set_goes) {
    begin();
    std::uint32_t number = become_ready();
    hold(5);
    kill();
    until([&] { return starts == 2; });
    BOOST_TEST((observed.outcomes.at(5) == Outcome::router_away));
    observed.is_away.clear();
    number = become_ready();
    hold(6);
    const ListId lost = 7;
    say(sets::encode_lost(number, std::span(&lost, 1)));
    until([&] { return observed.outcomes.contains(6); });
    BOOST_TEST((observed.outcomes.at(6) == Outcome::failed));
    hold(7);
    sink.configure({});
    BOOST_TEST((observed.outcomes.at(7) == Outcome::router_away));
}

BOOST_AUTO_TEST_CASE(messages_about_former_plans_are_ignored) {
    begin();
    std::uint32_t first = 0;
    (void)next<sets::PlansEnd>(&first);
    say_ready(first);
    until([&] { return observed.is_away.contains(7); });
    sink.configure({plan(5)});
    BOOST_TEST(observed.is_away.at(7));  // it is another plan
    say_written(first);
    say_ready(first);
    say(sets::encode_log(sets::Level::info, "so far"));
    until([&] { return !log.empty(); });
    BOOST_TEST(observed.is_away.at(7));
    std::uint32_t second = 0;
    BOOST_TEST((next<sets::PlansEnd>(&second).has_value()));
    BOOST_TEST(second != first);
    say_ready(second);
    until([&] { return !observed.is_away.at(7); });
    BOOST_TEST(observed.rows.empty());
}

BOOST_AUTO_TEST_CASE(a_killed_process_is_restarted_and_hits_claim_again) {
    begin();
    std::uint32_t number = 0;
    (void)next<sets::PlansEnd>(&number);
    say_ready(number, 3);
    until([&] { return observed.is_away.contains(7); });
    claim();
    const unsigned epochs = observed.epochs[7];
    kill();
    until([&] { return starts == 2; });
    BOOST_TEST(observed.is_away.at(7));
    BOOST_TEST(observed.epochs[7] == epochs + 1);
    BOOST_TEST_REQUIRE(!log.empty());
    BOOST_TEST(log.back().starts_with("steerdns-sets ended (killed by signal 9): "));
    BOOST_TEST(sink.report().restarts == 1U);
    BOOST_TEST(sink.report().sets.at(0).error.find("killed by signal 9") != std::string::npos);
    claim();
    BOOST_TEST((next<sets::PlanPart>(&number).has_value()));
    BOOST_TEST((next<sets::ClaimRows>().has_value()));
    say_ready(number, 4);
    until([&] { return !observed.is_away.at(7); });
    BOOST_TEST(log.back() == "steerdns-sets runs again");
    BOOST_TEST(sink.report().sets.at(0).counters.added == 7U);  // of both lives
    BOOST_TEST(sink.report().sets.at(0).error.empty());
}

BOOST_AUTO_TEST_CASE(readiness_needs_the_process_and_its_sets) {
    constexpr std::uint64_t kNow = 1'000'000;
    const auto error = [&](std::uint64_t after_ms = 0) {
        auto lists = sink.needed(kNow);  // lost at about kNow
        return needed_lists_error(lists, kNow + after_ms);
    };
    sink.configure({plan()}, {{7, config::ReadyNeed::any}});
    BOOST_TEST(error() ==
               "list \"policy\" cannot be written to nftables set inet fw four (steerdns-sets has "
               "not reported yet)");
    until([&] { return starts == 1; });
    const std::uint32_t number = become_ready();
    BOOST_TEST(error(kSinkGraceMs) == "");
    say(sets::encode_state(
        number, {.total = 1, .status = {.set = kFour, .error = "No such file or directory"}}));
    until([&] { return observed.is_away.at(7); });
    BOOST_TEST(error() == "");
    BOOST_TEST(error(kSinkGraceMs) ==
               "list \"policy\" cannot be written to nftables set inet fw four (No such file or "
               "directory)");
    say_ready(number);
    until([&] { return !observed.is_away.at(7); });
    BOOST_TEST(error(kSinkGraceMs) == "");
    kill();
    until([&] { return starts == 2; });
    BOOST_TEST(error() == "");
    BOOST_TEST(error(kSinkGraceMs) ==
               "list \"policy\" cannot be written to nftables set inet fw four (steerdns-sets "
               "ended (killed by signal 9))");
    sink.configure({plan()});  // the plans are the same
    BOOST_TEST(sink.needed(kNow).empty());
}

BOOST_AUTO_TEST_CASE(a_list_that_a_reload_adds_has_the_grace) {
    constexpr std::uint64_t kNow = 1'000'000;
    begin();
    (void)become_ready();
    auto other = plan();
    other.list = 8;
    other.tag = "other";
    other.families.front().set.name = "other";
    sink.configure({plan(), other}, {{8, config::ReadyNeed::all}});
    const auto lists = sink.needed(kNow);
    BOOST_TEST(needed_lists_error(lists, kNow) == "");
    BOOST_TEST(
        needed_lists_error(lists, kNow + kSinkGraceMs)
            .starts_with("list \"other\" cannot be written to nftables set inet fw other ("));
}

BOOST_AUTO_TEST_CASE(a_reload_lowers_no_counter) {
    begin();
    std::uint32_t number = 0;
    (void)next<sets::PlansEnd>(&number);
    say_ready(number, 3);
    until([&] { return observed.is_away.contains(7); });
    sink.configure({plan(5)});
    BOOST_TEST(sink.report().sets.at(0).counters.added == 3U);
    BOOST_TEST(sink.report().running);
}

BOOST_AUTO_TEST_CASE(the_last_messages_of_an_ended_process_are_read) {
    begin();
    std::uint32_t number = 0;
    (void)next<sets::PlansEnd>(&number);
    constexpr int kLines = 200;  // more than are read in a few turns
    for (int i = 0; i < kLines; ++i)
        say(sets::encode_log(sets::Level::warning, "last words"));
    kill();
    until([&] { return starts == 2; });
    BOOST_TEST(std::ranges::count(log, "last words") == kLines);
}

BOOST_AUTO_TEST_CASE(a_process_without_claims_ends_without_a_new_epoch) {
    begin();
    become_ready();
    const unsigned epochs = observed.epochs[7];
    kill();
    until([&] { return starts == 2; });
    BOOST_TEST(observed.is_away.at(7));
    BOOST_TEST(observed.epochs[7] == epochs);
}

BOOST_AUTO_TEST_CASE(without_a_free_descriptor_the_start_is_retried_later) {
    starves = 1;
    sink.configure({plan()});
    until([&] { return starts == 2; });
    BOOST_TEST_REQUIRE(log.size() == 1U);
    BOOST_TEST(log[0].starts_with(
        "steerdns-sets cannot be watched: Too many open files: sets of the kernel"));
    become_ready();
    BOOST_TEST(log.back() == "steerdns-sets runs again");
}

BOOST_AUTO_TEST_CASE(a_process_that_does_not_read_is_ended) {
    begin();
    become_ready();
    const int least = 1;  // the kernel makes it 4.5 KiB: less than a message of 1,000 rows
    BOOST_REQUIRE_EQUAL(::setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &least, sizeof least), 0);
    claim_rows(0, 1000);         // flushed as one message
    helper = SequencedSocket();  // as when it is killed: the reason stays
    until([&] { return starts == 2; });
    BOOST_TEST(log.at(0).starts_with(
        "steerdns-sets was ended: it cannot be written to: Message too long: "));
}

BOOST_AUTO_TEST_CASE(a_silent_process_is_ended) {
    SetSink impatient{io,
                      observed,
                      [this] { return start(); },
                      [this](sets::Level, const std::string& line) { log.push_back(line); },
                      RestartBackoff(1ms, 2ms),
                      10ms};
    impatient.configure({plan()});
    until([&] { return starts == 2; });
    BOOST_TEST(log.at(0).starts_with("steerdns-sets was ended: it does not answer: "));
}

BOOST_AUTO_TEST_CASE(the_process_runs_only_while_there_are_sets) {
    begin();
    become_ready(3);
    const pid_t first = pid;
    sink.configure({});
    until([&] { return ::kill(first, 0) != 0; });
    while (io.poll() > 0) {
    }
    BOOST_TEST(starts == 1U);
    BOOST_TEST(sink.report().was_planned);
    BOOST_TEST(!sink.report().running);
    sink.configure({plan()});
    until([&] { return starts == 2; });
    observed.is_away.clear();
    become_ready(1);
    BOOST_TEST(sink.report().sets.at(0).counters.added == 4U);
    BOOST_TEST(sink.report().restarts == 0U);
    BOOST_TEST(log.empty());
}

BOOST_AUTO_TEST_CASE(a_process_that_had_routes_runs_on_to_remove_them) {
    sets::SetPlan routes = plan();
    routes.families = {{{sets::SetName::kRoutes, "5301", "", false}, 32}};
    sink.configure({routes});
    until([&] { return starts == 1; });
    sink.configure({});
    for (int i = 0; i < 10; ++i)
        io.poll();
    BOOST_TEST(::kill(pid, 0) == 0);
    std::uint32_t number = 0;
    for (int i = 0; i < 2; ++i)  // with the list, and without
        BOOST_TEST((next<sets::PlansEnd>(&number).has_value()));
    say(sets::encode_state(number, {}));
    until([&] { return sink.report().running; });
    BOOST_TEST(sink.report().sets.empty());
    // It is not started again for nothing.
    kill();
    until([&] { return ::kill(pid, 0) != 0; });
    while (io.poll() > 0) {
    }
    BOOST_TEST(starts == 1U);
    BOOST_TEST(log.empty());
    sink.configure({plan()});
    until([&] { return starts == 2; });
}

BOOST_AUTO_TEST_CASE(new_sets_during_the_end_of_a_process_get_a_new_one) {
    begin();
    become_ready();
    sink.configure({});
    sink.configure({plan()});
    claim();  // not to the one that ends
    until([&] { return starts == 2; });
    become_ready();
    sink.flush();
    BOOST_TEST(sink.health().pending == 0U);
    BOOST_TEST(log.empty());
}

BOOST_AUTO_TEST_CASE(without_sets_no_start_is_retried) {
    refusals = 1000;
    sink.configure({plan()});
    until([&] { return starts == 2; });
    sink.configure({});
    BOOST_TEST(io.run_for(10s) < 10U);  // ends at once: nothing is left to do
    BOOST_TEST(starts == 2U);
    BOOST_TEST(sink.report().restarts == 2U);
}

BOOST_AUTO_TEST_CASE(waiting_claims_are_counted_and_ended_rows_make_room) {
    claim(5);  // one row
    BOOST_TEST(sink.health().pending == 1U);
    BOOST_TEST(sink.health().rows == 1U);
    claim_rows(0, SetSink::kMaxClaims - 1);
    BOOST_TEST(sink.report().overflows == 0U);
    BOOST_TEST(log.empty());
    claim_rows(100'000, 2);
    BOOST_TEST(sink.report().overflows == 2U);
    BOOST_TEST(log.size() == 1U);  // the first of a time without room
    claim_rows(100'000, 1, 62'000);
    BOOST_TEST(sink.report().overflows == 2U);
    BOOST_TEST(sink.health().pending == 1U);
}

BOOST_AUTO_TEST_CASE(a_process_with_invalid_messages_is_ended) {
    begin();
    say("garbage");
    until([&] { return starts == 2; });
    BOOST_TEST(log.at(0).starts_with(
        "steerdns-sets was ended: it sent a message that steerdnsd does not know: "));
}

BOOST_AUTO_TEST_CASE(a_process_that_closes_its_socket_is_ended) {
    begin();
    helper = SequencedSocket();
    until([&] { return starts == 2; });
    BOOST_TEST(log.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_failed_start_is_reported_once_and_retried) {
    refusals = 3;
    sink.configure({plan()});
    until([&] { return starts == 4; });
    BOOST_TEST_REQUIRE(log.size() == 1U);
    BOOST_TEST(log[0].starts_with("steerdns-sets is not there: sets of the kernel are not filled"));
    BOOST_TEST(sink.report().restarts == 3U);
    BOOST_TEST(observed.epochs[7] == 1U);  // its configuration's
}

BOOST_AUTO_TEST_CASE(hits_claim_again_what_a_full_set_dropped_once_it_has_room) {
    begin();
    const std::uint32_t number = become_ready();
    const unsigned before = observed.epochs[7];
    say_refused(number);
    say_full(number, 1, 1000);
    hear();
    BOOST_TEST(observed.epochs[7] == before);
    say_full(number, 1, 999);
    say_full(number, 1, 998);
    hear();
    BOOST_TEST(observed.epochs[7] == before + 1);
    say_full(number, 2, 999);  // soon after
    hear();
    BOOST_TEST(observed.epochs[7] == before + 1);
}

BOOST_AUTO_TEST_CASE(a_new_epoch_that_comes_too_soon_is_begun_later) {
    SetSink quick{io,
                  observed,
                  [this] { return start(); },
                  [this](sets::Level, const std::string& line) { log.push_back(line); },
                  RestartBackoff(1ms, 2ms),
                  SetSink::kMaxSilence,
                  50ms};
    quick.configure({plan()});
    until([&] { return starts == 1; });
    const std::uint32_t number = become_ready();
    const unsigned before = observed.epochs[7];
    say_full(number, 1, 999);
    say_full(number, 2, 999);
    const auto end = std::chrono::steady_clock::now() + 10s;
    until([&] {
        say_full(number, 2, 999);
        return observed.epochs[7] == before + 2 || std::chrono::steady_clock::now() > end;
    });
    BOOST_TEST(observed.epochs[7] == before + 2);
}

BOOST_AUTO_TEST_CASE(the_first_drop_of_a_new_process_is_noticed) {
    begin();
    std::uint32_t number = become_ready();
    say_full(number, 1, 999);
    hear();
    kill();
    until([&] { return starts == 2; });
    observed.is_away.clear();
    number = become_ready();
    const unsigned before = observed.epochs[7];
    say_full(number, 1, 999);
    hear();
    BOOST_TEST(observed.epochs[7] == before + 1);
}

// The process tries them again by itself.
BOOST_AUTO_TEST_CASE(rows_that_the_kernel_refuses_begin_no_epoch) {
    begin();
    const std::uint32_t number = become_ready();
    const unsigned before = observed.epochs[7];
    say_refused(number);
    say_full(number, 0, 1);
    hear();
    BOOST_TEST(observed.epochs[7] == before);
}

BOOST_AUTO_TEST_CASE(hits_claim_again_what_a_full_set_gave_up) {
    begin();
    const std::uint32_t number = become_ready();
    const unsigned before = observed.epochs[7];
    const auto say_evicted = [&](std::uint64_t evicted) {
        say(sets::encode_state(number, {.total = 1,
                                        .status = {.set = kFour,
                                                   .ready = true,
                                                   .claims = 1000,
                                                   .counters = {.full = 1, .evicted = evicted}}}));
        hear();
    };
    say_evicted(0);
    BOOST_TEST(observed.epochs[7] == before);  // it has no room
    say_evicted(1);
    BOOST_TEST(observed.epochs[7] == before + 1);
    say_evicted(2);  // soon after
    BOOST_TEST(observed.epochs[7] == before + 1);
}

// ---- shares

BOOST_AUTO_TEST_CASE(the_process_gets_owners_only_of_lists_with_shares) {
    sets::SetPlan shared = plan();
    shared.shares.per_client = 250;
    for (const bool has_shares : {false, true}) {
        sink.configure({has_shares ? shared : plan()});
        until([&] { return starts == 1; });
        const Claim one{.list = 7,
                        .addresses = {&kA, 1},
                        .name = "www.stream.example",
                        .client = &kB,
                        .raised_ms = 1'500,
                        .row_life_s = 60};
        sink.claim(one, 2'000);
        sink.flush();
        const auto claims = next<sets::ClaimRows>();
        BOOST_TEST_REQUIRE(claims.has_value());
        const sets::ClaimRow& row = claims->rows.at(0);
        BOOST_TEST((row.holders != routeros::Holders{}) == has_shares);
        BOOST_TEST(row.origin.name == (has_shares ? "www.stream.example" : ""));
        BOOST_TEST((row.origin.client == std::optional(kB)) == has_shares);
    }
}

BOOST_AUTO_TEST_CASE(a_claim_above_a_share_is_reported_with_its_client_and_named) {
    sets::SetPlan shared = plan();
    shared.shares.per_client = 250;
    sink.configure({shared});
    until([&] { return starts == 1; });
    const std::uint32_t number = become_ready();
    sets::RefusedRow row{{{7, kA, 62}}};
    row.claim.origin = {"www.evil.example", kB};
    row.why = {routeros::ClaimRefusal::client, true};
    hold(5);
    for (int i = 0; i < 3; ++i)
        say(sets::encode_refused(number, std::span(&row, 1)));
    hear();
    BOOST_TEST((observed.outcomes.at(5) == Outcome::refused));
    BOOST_TEST_REQUIRE(observed.later.size() == 3U);
    BOOST_TEST((observed.later[0].whom == RefusedFor::client));
    BOOST_TEST(observed.later[0].name == "www.evil.example");
    BOOST_TEST((observed.later[0].client == kB));
    BOOST_TEST(observed.refusals.empty());
    BOOST_TEST(std::ranges::count_if(log, [](const std::string& line) {
                   return line.starts_with(
                       "client 203.0.113.8 has its share of the 1000 elements of nftables set inet "
                       "fw four (250): more are refused");
               }) == 1);
}

BOOST_AUTO_TEST_CASE(what_waits_for_the_process_has_shares_too) {
    sets::SetPlan shared = plan();
    shared.shares.per_client = 250;
    refusals = 1'000'000;  // it does not start
    sink.configure({shared});
    const auto claim_of = [&](unsigned first, unsigned count, const IpAddress& client) {
        for (unsigned n = first; n < first + count; ++n) {
            const std::uint8_t four[] = {10, static_cast<std::uint8_t>(n >> 16),
                                         static_cast<std::uint8_t>(n >> 8),
                                         static_cast<std::uint8_t>(n)};
            const IpAddress address = IpAddress::from_v4(four);
            sink.claim({.list = 7,
                        .addresses = {&address, 1},
                        .name = "www.evil.example",
                        .client = &client,
                        .raised_ms = 1'500,
                        .row_life_s = 60},
                       2'000);
        }
    };
    claim_of(0, SetSink::kMaxClaims, kA);
    BOOST_TEST(sink.health().pending == SetSink::kMaxClaims / 4);
    BOOST_TEST(sink.report().overflows == SetSink::kMaxClaims * 3 / 4);
    BOOST_TEST(log.back().starts_with("client 203.0.113.7 has its share"));
    claim_of(100'000, 10, kB);
    BOOST_TEST(sink.health().pending == SetSink::kMaxClaims / 4 + 10);
}

// Else it would wait for a row that is never written.
BOOST_AUTO_TEST_CASE(an_answer_does_not_wait_for_a_row_that_a_full_queue_gave_up) {
    sets::SetPlan shared = plan();
    shared.shares.per_client = 500;
    sink.configure({shared});
    until([&] { return starts == 1; });
    become_ready();
    const auto claim_of = [&](unsigned first, unsigned count, const IpAddress& client,
                              std::uint64_t token) {
        for (unsigned n = first; n < first + count; ++n) {
            const std::uint8_t four[] = {10, static_cast<std::uint8_t>(n >> 16),
                                         static_cast<std::uint8_t>(n >> 8),
                                         static_cast<std::uint8_t>(n)};
            const IpAddress address = IpAddress::from_v4(four);
            sink.claim({.list = 7,
                        .addresses = {&address, 1},
                        .name = "www.stream.example",
                        .client = &client,
                        .raised_ms = 1'500,
                        .row_life_s = 60,
                        .hold_token = token == 0 ? 0 : token + n},
                       2'000);
        }
    };
    const unsigned half = SetSink::kMaxClaims / 2;
    claim_of(0, half, kA, 1'000'000);
    claim_of(100'000, half - 1, kB, 0);
    const IpAddress other = *IpAddress::parse("192.0.2.9");
    claim_of(200'000, 1, other, 0);
    BOOST_TEST(observed.outcomes.empty());
    claim_of(300'000, 1, other, 0);
    BOOST_TEST_REQUIRE(observed.outcomes.size() == 1U);
    BOOST_TEST((observed.outcomes.begin()->second == Outcome::refused));
    BOOST_TEST(sink.health().pending == SetSink::kMaxClaims);
}

BOOST_AUTO_TEST_CASE(a_full_queue_is_logged_after_a_used_up_share_too) {
    sets::SetPlan shared = plan();
    shared.shares.per_client = 250;
    refusals = 1'000'000;  // it does not start
    sink.configure({shared});
    const auto claim_all_of = [&](std::uint8_t client) {
        const std::uint8_t from[] = {192, 0, 2, client};
        const IpAddress source = IpAddress::from_v4(from);
        for (unsigned n = 0; n <= SetSink::kMaxClaims / 4; ++n) {
            const std::uint8_t four[] = {10, client, static_cast<std::uint8_t>(n >> 8),
                                         static_cast<std::uint8_t>(n)};
            const std::uint8_t last[] = {11, client, 0, 0};
            const IpAddress address =
                IpAddress::from_v4(n == SetSink::kMaxClaims / 4 ? last : four);
            sink.claim({.list = 7,
                        .addresses = {&address, 1},
                        .name = "www.stream.example",
                        .client = &source,
                        .raised_ms = 1'500,
                        .row_life_s = 60},
                       2'000);
        }
    };
    const auto is_full = [](const std::string& line) {
        return line.find("claims wait for steerdns-sets") != std::string::npos;
    };
    for (std::uint8_t client = 1; client <= 4; ++client)
        claim_all_of(client);
    BOOST_TEST(std::ranges::count_if(log, is_full) == 0);
    claim_all_of(5);
    BOOST_TEST(std::ranges::count_if(log, is_full) == 1);
}

// Nothing reads, so that the socket fills, then what waits; what is above is counted and claimed again.
BOOST_AUTO_TEST_CASE(a_full_socket_does_not_block_and_recovers) {
    begin();
    const unsigned epochs = observed.epochs[7];
    for (unsigned i = 0; i < 100 && sink.report().overflows == 0; ++i)
        claim_rows(i * sets::kMaxRows, sets::kMaxRows);
    BOOST_TEST(sink.report().overflows > 0U);
    BOOST_TEST(observed.epochs[7] == epochs);
    std::size_t rows = 0;
    until([&] {
        while (const auto claims = next<sets::ClaimRows>())
            rows += claims->rows.size();
        return observed.epochs[7] > epochs;
    });
    while (const auto claims = next<sets::ClaimRows>())
        rows += claims->rows.size();
    BOOST_TEST(rows >= SetSink::kMaxClaims);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(backoff_doubles_up_to_its_maximum_and_is_reset_after_a_long_life) {
    RestartBackoff backoff;
    for (const auto wanted : {1s, 2s, 4s, 8s, 16s, 30s, 30s})
        BOOST_TEST((backoff.next(10s) == wanted));
    BOOST_TEST((backoff.next(30s) == 1s));
    BOOST_TEST((backoff.next(0s) == 2s));
}

BOOST_AUTO_TEST_CASE(backoff_at_once_has_no_pause_before_the_first_start_of_a_series) {
    RestartBackoff backoff(1s, 30s, true);
    for (const auto wanted : {0s, 1s, 2s, 4s})
        BOOST_TEST((backoff.next(10s) == wanted));
    BOOST_TEST((backoff.next(30s) == 0s));
    BOOST_TEST((backoff.next(0s) == 1s));
}

}  // namespace
}  // namespace steer::kernel_sets
