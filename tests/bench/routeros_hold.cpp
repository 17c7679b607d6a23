// How long answers wait for their rows.
#include <algorithm>
#include <cmath>
#include <optional>

#include "fail.h"
#include "routeros/commands.h"
#include "routeros/wire.h"
#include "routeros_scenes.h"
#include "support/random.h"

namespace steer::bench {
namespace {

using routeros::Command;
using routeros::Outcome;
using routeros::test::Lab;

constexpr std::uint32_t kRows = 28'000;
constexpr double kPerSecond = 300;
constexpr std::uint32_t kTtlS = 300;
constexpr std::uint32_t kCachedTtlS = 240;  // of a name that was asked for up to a minute ago

// Another user of the router, who prints all of its address lists over and over.
class Reader {
  public:
    explicit Reader(Lab& lab) : lab_(lab) {
        const auto session = lab.sim.open(lab.now_us);
        if (!session) fail("the router takes no second session");
        session_ = *session;
        say(Command{routeros::forms::login}.attribute("name", "admin").attribute("password", ""));
    }
    // Prints again if the last print has come to the end of the table.
    void print() {
        const auto emitted = lab_.sim.report().rows_emitted;
        if (emitted_ && emitted + 100 < *emitted_ + lab_.sim.row_count(rossim::Family::ipv4))
            return;
        emitted_ = emitted;
        say(Command{routeros::forms::print_rows});
    }

  private:
    void say(const Command& command) {
        std::string sentence = command.words();
        routeros::append_end(sentence);
        lab_.sim.feed(session_, sentence, lab_.now_us);
    }

    Lab& lab_;
    rossim::SessionId session_ = 0;
    std::optional<std::uint64_t> emitted_;  // before the present print
};

// New names at random times, and between them names that were answered before.
class Clients {
  public:
    Clients() : lab_{router_like("fast")} {
        lab_.sim.prefill(rossim::Family::ipv4, "policy_v4", kRows, lab_.now_us);
        if (!lab_.sync()) fail("the router is not in sync");
    }
    [[nodiscard]] Lab& lab() { return lab_; }

    void ask_for(std::int64_t seconds, Reader* reader = nullptr) {
        for (const auto end_us = lab_.now_us + seconds * kSecondUs; lab_.now_us < end_us;) {
            const double uniform = (random_() + 0.5) / 4294967296.0;
            lab_.run_for(static_cast<std::int64_t>(-std::log(uniform) / kPerSecond * kSecondUs));
            if (reader != nullptr) reader->print();
            ask(++names_, kTtlS, new_names_);
            if (names_ > kPerSecond && names_ % 3 == 0) {
                const auto known = names_ - static_cast<std::uint32_t>(kPerSecond);
                ask(1 + random_.below(known), kCachedTtlS, repeated_);
            }
        }
    }
    [[nodiscard]] std::vector<std::int64_t> new_delays_us() const { return delays_us(new_names_); }
    [[nodiscard]] std::int64_t longest_repeat_us() const { return longest_us(repeated_); }
    [[nodiscard]] std::int64_t longest_new_us() const { return longest_us(new_names_); }

  private:
    struct Asked {
        std::uint64_t token;
        std::int64_t at_us;
    };
    void ask(std::uint32_t name, std::uint32_t ttl_s, std::vector<Asked>& as) {
        as.push_back({++token_, lab_.now_us});
        lab_.claim(1, {address(name)}, ttl_s, ttl_s + 30, token_);
    }
    [[nodiscard]] std::vector<std::int64_t> delays_us(const std::vector<Asked>& all) const {
        std::vector<std::int64_t> delays;
        for (const auto& asked : all) {
            const auto settled = lab_.settled_at_us.find(asked.token);
            if (settled == lab_.settled_at_us.end()) fail("an answer still waits");
            delays.push_back(settled->second - asked.at_us);
        }
        return delays;
    }
    [[nodiscard]] std::int64_t longest_us(const std::vector<Asked>& all) const {
        const auto delays = delays_us(all);
        return *std::max_element(delays.begin(), delays.end());
    }

    Lab lab_;
    test::Random random_{20};
    std::uint32_t names_ = 0;
    std::uint64_t token_ = 0;
    std::vector<Asked> new_names_, repeated_;
};

}  // namespace

boost::json::object measure_holds() {
    Clients quiet;
    quiet.ask_for(30);
    quiet.lab().run_for(kSecondUs);

    Clients beside_a_print;
    Reader reader{beside_a_print.lab()};
    beside_a_print.ask_for(30, &reader);
    beside_a_print.lab().run_for(10 * kSecondUs);

    Clients at_the_end;
    at_the_end.ask_for(3);
    at_the_end.lab().sim.hang(at_the_end.lab().now_us);
    at_the_end.ask_for(5);

    const auto longest_repeat_us =
        std::max(quiet.longest_repeat_us(), beside_a_print.longest_repeat_us());
    return {{"hold_p99_ms", p99_ms(quiet.new_delays_us())},
            {"hold_print_p99_ms", p99_ms(beside_a_print.new_delays_us())},
            {"repeat_ms", static_cast<double>(longest_repeat_us) / 1000},
            {"dead_wait_ms", static_cast<double>(at_the_end.longest_new_us()) / 1000}};
}

}  // namespace steer::bench
