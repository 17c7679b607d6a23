#include "control/sinks/set_process/set_helper.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>
#include <utility>

namespace steer::sets {
namespace {

constexpr std::uint64_t kCheckEveryMs = 10'000;
constexpr std::uint64_t kStateEveryMs = 500;
constexpr std::uint64_t kSayAgainMs = 10'000;  // a sign of life for the daemon
// Messages that are read before sets are written: claims that come together go together.
constexpr unsigned kMessagesPerTurn = 64;

}  // namespace

Result<void> SetHelper::TimedKernel::add(const SetName& set, std::span<const SetElement> elements) {
    const auto begin = std::chrono::steady_clock::now();
    auto done = kernel_.add(set, elements);
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(
                        std::chrono::steady_clock::now() - begin)
                        .count();
    const auto taken_us = static_cast<std::uint32_t>(std::clamp<long long>(us, 1, UINT32_MAX / 8));
    write_us_ = write_us_ == 0 ? taken_us : (write_us_ * 7 + taken_us) / 8;
    return done;
}

SetHelper::SetHelper(SequencedSocket socket, SetKernel& kernel, Clock& clock)
    : socket_(std::move(socket)),
      kernel_(kernel),
      clock_(clock),
      writer_(kernel),
      service_(
          writer_,
          {.installed = [this](std::span<const Installed> rows) { say_rows(encode_written, rows); },
           .refused = [this](std::span<const RefusedRow> rows) { say_rows(encode_refused, rows); },
           .lost = [this](ListId list) { say(encode_lost(plans_, std::span(&list, 1))); },
           .log = [this](Level level, const std::string& text) { say(encode_log(level, text)); }}) {
}

SetHelper::End SetHelper::run() {
    while (read_messages()) {
        const std::uint64_t now_ms = clock_.now().ms;
        check(now_ms);
        service_.work(now_ms);
        const auto changes = kernel_.changes();
        for (const SetName& set : changes.sets)
            service_.changed(set);
        if (changes.lost) service_.all_changed(false);
        say_states(now_ms);
        wait();
    }
    return end_;
}

bool SetHelper::read_messages() {
    for (unsigned i = 0; i < kMessagesPerTurn; ++i) {
        std::string_view bytes;
        switch (socket_.receive(bytes, false)) {
            case SequencedSocket::End::full:
                return is_open_;
            case SequencedSocket::End::closed:
                return false;
            case SequencedSocket::End::broken:
                end_ = End::not_understood;
                return false;
            case SequencedSocket::End::done:
                break;
        }
        auto message = decode(bytes);
        if (!message || !take(std::move(*message))) {
            end_ = End::not_understood;
            return false;
        }
    }
    return is_open_;
}

bool SetHelper::take(SetMessage message) {
    if (auto* const claims = std::get_if<ClaimRows>(&message.what)) {
        for (ClaimRow& row : claims->rows)
            service_.claim(std::move(row));
        return true;
    }
    switch (reader_.take(std::move(message))) {
        case PlanReader::Progress::more:
            return true;
        case PlanReader::Progress::whole:
            take_up();
            return true;
        case PlanReader::Progress::wrong:
            break;
    }
    return false;
}

void SetHelper::take_up() {
    plans_ = reader_.number();
    service_.configure(reader_.plans());
    const auto any = [&](bool (SetName::*is)() const) {
        return std::ranges::any_of(reader_.plans(), [is](const SetPlan& plan) {
            return (plan.families.front().set.*is)();
        });
    };
    if (const auto done = kernel_.follow(any(&SetName::is_nftables), any(&SetName::is_routes));
        !done)
        say(encode_log(Level::warning, done.error().text));
    sent_states_.clear();
    state_ms_ = 0;
}

void SetHelper::check(std::uint64_t now_ms) {
    if (now_ms < next_check_ms_) return;
    service_.check(now_ms);
    next_check_ms_ = now_ms + kCheckEveryMs;
}

void SetHelper::wait() const {
    const std::uint64_t next_ms = std::min({service_.next_ms(), next_check_ms_, state_ms_});
    const std::uint64_t now_ms = clock_.now().ms;
    const auto wait_ms = next_ms > now_ms ? std::min<std::uint64_t>(next_ms - now_ms, 60'000) : 0;
    const auto [nftables, routes] = kernel_.fds();
    std::array<pollfd, 3> fds{
        {{socket_.fd(), POLLIN, 0}, {nftables, POLLIN, 0}, {routes, POLLIN, 0}}};
    ::poll(fds.data(), fds.size(), static_cast<int>(wait_ms));
}

// The end of the daemon is noticed at the next read.
void SetHelper::say(const std::string& message) {
    if (is_open_) is_open_ = socket_.send(message, true) == SequencedSocket::End::done;
}

template <class Row>
void SetHelper::say_rows(std::string (*encode)(std::uint32_t, std::span<const Row>),
                         std::span<const Row> rows) {
    while (!rows.empty()) {
        const auto part = fitting(rows);
        say(encode(plans_, part));
        rows = rows.subspan(part.size());
    }
}

// After changes since the last report, and every kSayAgainMs.
void SetHelper::say_states(std::uint64_t now_ms) {
    if (now_ms < state_ms_ || plans_ == 0) return;
    state_ms_ = now_ms + kStateEveryMs;
    auto all = service_.status();
    std::vector<std::string> states;
    SetState state{.total = static_cast<std::uint32_t>(all.size()), .write_us = writer_.write_us()};
    if (all.empty()) states.push_back(encode_state(plans_, state));
    for (SetStatus& status : all) {
        state.status = std::move(status);
        states.push_back(encode_state(plans_, state));
        ++state.index;
    }
    if (states == sent_states_ && now_ms < say_again_ms_) return;
    say_again_ms_ = now_ms + kSayAgainMs;
    for (const std::string& one : states)
        say(one);
    sent_states_ = std::move(states);
}

}  // namespace steer::sets
