// The tests of one worker: whether an upstream sends our questions back to us.
//
// A question in flight that arrives again from its upstream's address is only a suspicion: clients
// behind a NAT, programs of this machine and the upstream itself may share that address. So the
// upstream gets two questions with a random label, below the root and below the name. It loops if
// the label comes back to us, by any transport and from any address, and if it does not answer the
// question within kAnswerMs with NOERROR or NXDOMAIN. An upstream that answers all the same asks
// another server, too.
//
// The label at the root goes nowhere but along the upstream's own path, so it proves a loop for all
// names. The name's owner sees the other one and can send it back, so it proves a loop for that
// name and names below it.
//
// A fixed ring: a test takes the place of the oldest one, and its label is then forgotten. For one
// thread; the board is shared.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/dns/wire.h"
#include "dataplane/forward/chacha_random.h"
#include "dataplane/forward/index_table.h"
#include "dataplane/forward/loop_board.h"

namespace steer::forward {

class LoopTests {
  public:
    static constexpr std::uint64_t kAnswerMs = 500;
    static constexpr std::uint64_t kAgainMs = 100;  // between later checks of the same test
    static constexpr std::uint64_t kGiveUpMs = 2'000;
    enum Which : std::uint8_t { root, below };

    struct Question {
        enum class State : std::uint8_t { unsent, waits, answered, proved };
        LoopLabel label;
        std::uint32_t attempt = kNone;  // while its reply is awaited
        State state = State::unsent;
    };
    struct Test {
        std::uint64_t sent_ms = 0;
        std::array<Question, 2> questions{};  // by Which
        std::uint16_t upstream = 0;           // Upstream::id
        bool is_open = false;
        std::uint8_t name_len = 0;
        std::array<std::uint8_t, dns::kMaxName> name;  // lower-cased wire form

        [[nodiscard]] std::span<const std::uint8_t> proved_name(Which which) const noexcept;
        // The name to ask for, into `room`. Below the root the label stands twice, because some
        // forwarders keep names of one label. Without room below the name, it replaces the name's
        // first labels.
        std::span<const std::uint8_t> question_name(
            Which which, std::array<std::uint8_t, dns::kMaxName>& room) const noexcept;
    };

    LoopTests(unsigned worker, LoopBoard& board, ChaChaRandom& random)
        : worker_(worker), board_(board), random_(random) {}

    // Begins a test; the caller sends its questions. nullptr: too early, or too many are open.
    Test* begin(std::uint16_t upstream, std::span<const std::uint8_t> name,
                std::uint64_t now_ms) noexcept;
    // The number of a question, from 1, for Attempt::test.
    [[nodiscard]] std::uint16_t number_of(const Test& test, Which which) const noexcept {
        return static_cast<std::uint16_t>((&test - tests_.data()) * 2 + which + 1);
    }
    // The upstream's reply to a question. Returns false if it is none: another name, or malformed.
    bool on_reply(std::uint16_t number, std::span<const std::uint8_t> dns,
                  std::uint64_t now_ms) noexcept;
    // The question's attempt ended without a reply.
    void has_failed(std::uint16_t number) noexcept { question(number).attempt = kNone; }

    // Judges the tests that are due. `ended`: called with each attempt that is awaited no more.
    // Returns how many loops were proved.
    template <class Ended>
    unsigned settle(std::uint64_t now_ms, const Ended& ended) noexcept {
        unsigned proved = 0;
        if (now_ms < next_ms_) return proved;
        next_ms_ = UINT64_MAX;
        for (unsigned n = open_; n > 0; --n) {
            Test& test = tests_[(next_ + kLoopTests - n) % kLoopTests];
            if (!test.is_open) continue;
            if (now_ms - test.sent_ms < kAnswerMs) {
                wake_at(test.sent_ms + kAnswerMs);
                break;  // later ones are younger
            }
            proved += judge(test, now_ms);
            if (test.is_open) {
                wake_at(now_ms + kAgainMs);
                continue;
            }
            for (Question& q : test.questions) {
                if (q.attempt != kNone) ended(q.attempt);
                q.attempt = kNone;
            }
        }
        forget_closed();
        return proved;
    }
    // When settle() has work; UINT64_MAX: no test is open.
    [[nodiscard]] std::uint64_t next_ms() const noexcept { return next_ms_; }

  private:
    [[nodiscard]] Question& question(std::uint16_t number) noexcept {
        return tests_[(number - 1U) / 2].questions[(number - 1U) % 2];
    }
    // Ends the questions that are known by now. Returns how many proved a loop.
    unsigned judge(Test& test, std::uint64_t now_ms) noexcept;
    void close(Test& test, std::uint64_t now_ms) noexcept;
    void forget_closed() noexcept;
    [[nodiscard]] LoopLabel draw() noexcept;
    void wake_at(std::uint64_t ms) noexcept {
        if (ms < next_ms_) next_ms_ = ms;
    }

    unsigned worker_;
    LoopBoard& board_;
    ChaChaRandom& random_;
    std::array<Test, kLoopTests> tests_{};
    unsigned next_ = 0;  // the place of the next test
    unsigned open_ = 0;  // the last ones, from the oldest open one on
    std::uint64_t next_ms_ = UINT64_MAX;
};

}  // namespace steer::forward
