#include "dataplane/forward/loop_tests.h"

#include <algorithm>

#include "dataplane/dns/name.h"
#include "dataplane/dns/query.h"

namespace steer::forward {
namespace {

constexpr std::array<std::uint8_t, 1> kRoot{};
constexpr std::size_t kLabelBytes = 1 + LoopLabel::kDigits;

using State = LoopTests::Question::State;

}  // namespace

std::span<const std::uint8_t> LoopTests::Test::proved_name(Which which) const noexcept {
    return which == root ? std::span<const std::uint8_t>(kRoot) : std::span(name).first(name_len);
}

std::span<const std::uint8_t> LoopTests::Test::question_name(
    Which which, std::array<std::uint8_t, dns::kMaxName>& room) const noexcept {
    room[0] = LoopLabel::kDigits;
    const auto digits = std::span(room).subspan<1, LoopLabel::kDigits>();
    questions[which].label.write(digits);
    if (which == root) {
        std::copy_n(room.begin(), kLabelBytes, room.begin() + kLabelBytes);
        room[2 * kLabelBytes] = 0;
        return std::span(room).first(2 * kLabelBytes + 1);
    }
    std::span<const std::uint8_t> parent = std::span(name).first(name_len);
    while (kLabelBytes + parent.size() > room.size())
        parent = parent.subspan(parent.front() + 1U);
    std::ranges::copy(parent, room.begin() + kLabelBytes);
    return std::span(room).first(kLabelBytes + parent.size());
}

LoopLabel LoopTests::draw() noexcept {
    const auto word = [this] { return (std::uint64_t{random_.next()} << 32) | random_.next(); };
    const std::uint64_t high = word();
    return {high, word()};
}

LoopTests::Test* LoopTests::begin(std::uint16_t upstream, std::span<const std::uint8_t> name,
                                  std::uint64_t now_ms) noexcept {
    if (open_ == kLoopTests || !board_.begin_test(upstream, now_ms)) return nullptr;
    Test& test = tests_[next_];
    test.sent_ms = now_ms;
    test.upstream = upstream;
    test.is_open = true;
    test.name_len = static_cast<std::uint8_t>(name.size());
    std::ranges::copy(name, test.name.begin());
    for (unsigned i = 0; i < test.questions.size(); ++i)
        test.questions[i] = {.label = board_.publish(worker_, 2 * next_ + i, draw())};
    next_ = (next_ + 1) % kLoopTests;
    ++open_;
    wake_at(now_ms + kAnswerMs);
    return &test;
}

bool LoopTests::on_reply(std::uint16_t number, std::span<const std::uint8_t> dns,
                         std::uint64_t now_ms) noexcept {
    const unsigned place = number - 1U;
    const Test& test = tests_[place / 2];
    Question& asked = question(number);
    std::array<std::uint8_t, dns::kMaxName> room;
    const auto name = test.question_name(static_cast<Which>(place % 2), room);
    const auto replied = dns.subspan(dns::kHeaderSize);
    if (dns::load_be16(&dns[4]) != 1 || dns::plain_name_length(replied) != name.size() ||
        !dns::same_name(name, replied.first(name.size())))
        return false;
    asked.attempt = kNone;
    const unsigned rcode = dns::load_be16(&dns[2]) & dns::kRcodeMask;
    const bool is_answer = rcode == dns::kNoError || rcode == dns::kNxDomain;
    if (is_answer && now_ms - test.sent_ms <= kAnswerMs && asked.state == State::waits)
        asked.state = State::answered;
    return true;
}

unsigned LoopTests::judge(Test& test, std::uint64_t now_ms) noexcept {
    unsigned proved = 0;
    bool waits = false;
    for (const Which which : {root, below}) {
        Question& q = test.questions[which];
        if (q.state != State::waits) continue;
        if (const auto from = board_.returned_by(q.label)) {
            q.state = State::proved;
            board_.prove(test.upstream, test.proved_name(which), *from, test.sent_ms + kProofMs);
            ++proved;
        } else {
            waits = true;
        }
    }
    if (!waits || now_ms - test.sent_ms >= kGiveUpMs) close(test, now_ms);
    return proved;
}

void LoopTests::close(Test& test, std::uint64_t now_ms) noexcept {
    bool some = false;
    for (const Which which : {root, below}) {
        const State state = test.questions[which].state;
        some = some || state == State::proved;
        if (state == State::answered || state == State::waits)
            board_.withdraw(test.upstream, test.proved_name(which));
    }
    test.is_open = false;
    board_.end_test(test.upstream, test.sent_ms, some, now_ms);
}

void LoopTests::forget_closed() noexcept {
    while (open_ > 0 && !tests_[(next_ + kLoopTests - open_) % kLoopTests].is_open)
        --open_;
}

}  // namespace steer::forward
