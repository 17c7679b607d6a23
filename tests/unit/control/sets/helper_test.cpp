// steerdns-sets without a kernel: what comes by the socket is in sets, and what is in sets is reported. The test is the daemon.
#include <boost/test/unit_test.hpp>

#include <sys/socket.h>
#include <sys/time.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "control/sinks/set_process/set_helper.h"

using namespace steer;
using namespace steer::sets;

namespace {

const SetName kFour{"inet", "fw", "four", false};
const IpAddress kA = *IpAddress::parse("203.0.113.7");

// A kernel with one set. The test checks it from another thread.
class OneSet final : public SetKernel {
  public:
    Result<SetAbility> read(const SetName&) override {
        return SetAbility{.timeouts = true, .prefixes = false};
    }
    Result<void> add(const SetName&, std::span<const SetElement> elements) override {
        const std::lock_guard lock(mutex_);
        for (const SetElement& element : elements)
            elements_.insert(element.prefix.to_string());
        return {};
    }
    Result<bool> has(const SetName&, const matchers::Prefix&) override { return true; }
    Result<void> remove(const SetName&, std::span<const matchers::Prefix>) override { return {}; }
    Result<std::vector<matchers::Prefix>> ours(const SetName&) override {
        return std::vector<matchers::Prefix>{};
    }
    Result<void> follow(bool nftables, bool routes) override {
        BOOST_TEST(!routes);
        if (nftables) return Error{"changes of nftables cannot be followed: test"};
        return {};
    }
    [[nodiscard]] std::array<int, 2> fds() const override { return {-1, -1}; }
    Changes changes() override {
        const std::lock_guard lock(mutex_);
        ++turns_;
        turned_.notify_all();
        return std::exchange(changes_, {});
    }
    // Whether the helper's loop comes round so often within that time.
    [[nodiscard]] bool turns(unsigned count, std::chrono::milliseconds within) {
        std::unique_lock lock(mutex_);
        return turned_.wait_for(lock, within, [&] { return turns_ >= count; });
    }
    [[nodiscard]] std::set<std::string> elements() {
        const std::lock_guard lock(mutex_);
        return elements_;
    }
    void flush() {
        const std::lock_guard lock(mutex_);
        elements_.clear();
        changes_.sets.push_back(kFour);
    }

  private:
    std::mutex mutex_;
    std::condition_variable turned_;
    unsigned turns_ = 0;
    std::set<std::string> elements_;
    Changes changes_;
};

// The machine's, and what the test adds.
class MovableClock final : public Clock {
  public:
    Now now() override {
        Now now = boot_.now();
        now.ms += ahead_ms;
        return now;
    }
    std::atomic<std::uint64_t> ahead_ms{0};

  private:
    BootClock boot_;
};

struct Place {
    Place() {
        auto [ours, theirs] = SequencedSocket::pair(kMaxMessage);
        const timeval patience{10, 0};  // so that a test fails that waits for nothing
        ::setsockopt(ours.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        daemon = SequencedSocket(std::move(ours), kMaxMessage);
        thread = std::thread([this, fd = std::move(theirs)]() mutable {
            SetHelper helper(SequencedSocket(std::move(fd), kMaxMessage), kernel, clock);
            end = helper.run();
        });
    }
    ~Place() { finish(); }
    SetHelper::End finish() {
        daemon = SequencedSocket();
        if (thread.joinable()) thread.join();
        return end;
    }
    void say(const std::string& message) {
        BOOST_TEST_REQUIRE((daemon.send(message, true) == SequencedSocket::End::done));
    }
    void plan(std::uint32_t number, std::uint32_t most = 1000) {
        for (const auto& one : encode_plans(
                 number,
                 {{.list = 7, .tag = "policy", .families = {{kFour, 32}}, .max_elements = most}}))
            say(one);
    }
    void claim(std::uint32_t number) {
        const ClaimRow row{{7, kA, clock.now().s() + 60}};
        say(encode_claims(number, std::span(&row, 1)));
    }
    // Blocks until it says one of these; what it says before is passed over.
    template <class What>
    std::pair<std::uint32_t, What> next() {
        for (;;) {
            std::string_view bytes;
            BOOST_TEST_REQUIRE((daemon.receive(bytes, true) == SequencedSocket::End::done));
            const auto message = decode(bytes);
            BOOST_TEST_REQUIRE(message.has_value());
            if (const auto* const what = std::get_if<What>(&message->what))
                return {message->plans, *what};
        }
    }

    MovableClock clock;
    OneSet kernel;
    SequencedSocket daemon;
    SetHelper::End end = SetHelper::End::not_understood;
    std::thread thread;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(helper, Place)

BOOST_AUTO_TEST_CASE(a_claim_is_written_and_reported_under_the_plans_in_force) {
    plan(3);
    claim(3);
    const auto [number, written] = next<WrittenRows>();
    BOOST_TEST(number == 3U);
    BOOST_TEST_REQUIRE(written.rows.size() == 1U);
    BOOST_TEST(written.rows[0].list == 7);
    BOOST_TEST((written.rows[0].address == kA));
    BOOST_TEST((kernel.elements() == std::set<std::string>{"203.0.113.7/32"}));
    BOOST_TEST((finish() == SetHelper::End::closed));
}

BOOST_AUTO_TEST_CASE(states_are_reported_when_they_change) {
    plan(3);
    auto [number, state] = next<SetState>();
    BOOST_TEST(number == 3U);
    BOOST_TEST((state.status.set == kFour));
    BOOST_TEST(state.total == 1U);
    claim(3);
    while (state.status.counters.added == 0)
        state = next<SetState>().second;
    BOOST_TEST(state.status.claims == 1U);
    BOOST_TEST(state.status.ready);
    BOOST_TEST(state.write_us > 0U);
    plan(4);
    do {
        std::tie(number, state) = next<SetState>();
    } while (number == 3);
    BOOST_TEST(state.status.claims == 1U);  // a plan that stays keeps its claims
}

BOOST_AUTO_TEST_CASE(unchanged_states_are_reported_every_ten_seconds) {
    plan(3);
    claim(3);
    SetState state;
    while (state.status.counters.added == 0)
        state = next<SetState>().second;
    for (int i = 0; i < 2; ++i) {
        clock.ahead_ms += 10'500;
        const ClaimRow others{{9, kA, clock.now().s() + 60}};
        say(encode_claims(3, std::span(&others, 1)));  // wakes it; no set takes that
        BOOST_TEST(next<SetState>().second.status.counters.added == 1U);
    }
}

BOOST_AUTO_TEST_CASE(claims_wait_for_the_first_plans) {
    BOOST_TEST_REQUIRE(kernel.turns(1, std::chrono::seconds(10)));
    BOOST_TEST(!kernel.turns(4, std::chrono::milliseconds(50)));
}

BOOST_AUTO_TEST_CASE(sockets_have_room_for_several_of_the_longest_messages) {
    const auto [one, other] = SequencedSocket::pair(kMaxMessage);
    int most = 0;
    std::ifstream("/proc/sys/net/core/wmem_max") >> most;
    BOOST_TEST_REQUIRE(most > 0);
    for (const int fd : {one.get(), other.get()}) {
        int size = 0;  // twice what was asked for
        socklen_t length = sizeof size;
        BOOST_REQUIRE_EQUAL(::getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, &length), 0);
        BOOST_TEST(size >= 2 * std::min(most, 4 * static_cast<int>(kMaxMessage)));
    }
}

BOOST_AUTO_TEST_CASE(a_refused_subscription_is_logged) {
    plan(1);
    const auto line = next<LogLine>().second;
    BOOST_TEST((line.level == Level::warning));
    BOOST_TEST(line.text == "changes of nftables cannot be followed: test");
}

BOOST_AUTO_TEST_CASE(a_set_that_was_flushed_is_filled_again) {
    plan(1);
    claim(1);
    (void)next<WrittenRows>();
    kernel.flush();
    plan(2);  // any message wakes it
    SetState state;
    while (state.status.counters.restored == 0)
        state = next<SetState>().second;
    BOOST_TEST((kernel.elements() == std::set<std::string>{"203.0.113.7/32"}));
}

BOOST_AUTO_TEST_CASE(an_invalid_message_ends_the_process) {
    say("garbage");
    thread.join();
    BOOST_TEST((end == SetHelper::End::not_understood));
}

BOOST_AUTO_TEST_CASE(a_message_in_the_wrong_direction_ends_the_process) {
    say(encode_log(Level::info, "hello"));
    thread.join();
    BOOST_TEST((end == SetHelper::End::not_understood));
}

BOOST_AUTO_TEST_SUITE_END()
