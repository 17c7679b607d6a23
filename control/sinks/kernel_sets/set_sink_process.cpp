// The process of SetSink: start, messages, restart.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "control/sinks/kernel_sets/set_sink.h"
#include "control/sinks/set_process/program.h"

namespace steer::kernel_sets {
namespace {

using boost::asio::posix::stream_descriptor;
using sets::SequencedSocket;
using std::chrono::steady_clock;

constexpr unsigned kMessagesPerTurn = 64;  // before others of the thread have their turn

}  // namespace

// ---- its life

void SetSink::start_soon() {
    is_starting_ = true;
    boost::asio::post(io_, [this] { start(); });
}

void SetSink::start() {
    // A timer that expired before its cancel still calls this.
    if (!std::exchange(is_starting_, false)) return;
    auto started = start_();
    if (!started) return restart_after({}, started.error().text);
    auto life = SetLife::begin(io_, std::move(*started));
    if (!life) return restart_after({}, life.error().text);
    life_ = *life;
    full_sets_.clear();
    say_plans();
    await_messages(life_);
    await_end(life_);
    await_silence(life_);
    flush();
}

// There are no sets: ended() starts it again if there are some by then.
void SetSink::stop() {
    is_starting_ = false;
    restart_.cancel();
    error_.clear();
    if (!life_ || life_->is_unneeded) return;
    life_->is_unneeded = true;
    life_->give_up("there are no sets");
}

void SetSink::await_messages(const LifePtr& life) {
    life->readable.async_wait(stream_descriptor::wait_read,
                              [this, life](const boost::system::error_code& error) {
                                  if (error || life != life_) return;
                                  if (read_messages(life) != Read::over) await_messages(life);
                              });
}

void SetSink::await_end(const LifePtr& life) {
    life->end.async_wait(stream_descriptor::wait_read,
                         [this, life](const boost::system::error_code& error) {
                             if (!error && life == life_) ended(life);
                         });
}

void SetSink::await_room(const LifePtr& life) {
    life->writable.async_wait(stream_descriptor::wait_write,
                              [this, life](const boost::system::error_code& error) {
                                  life->waits_for_room = false;
                                  if (!error && life == life_) flush();
                              });
}

// Reads its messages first: this thread may have been stopped just as long.
void SetSink::await_silence(const LifePtr& life) {
    life->silence.expires_at(life->last_message + most_silence_);
    life->silence.async_wait([this, life](const boost::system::error_code& error) {
        if (error || life != life_ || !life->why.empty()) return;
        if (read_messages(life) == Read::over) return;
        if (steady_clock::now() - life->last_message < most_silence_) return await_silence(life);
        life->give_up("it does not answer");
    });
}

void SetSink::ended(const LifePtr& life) {
    while (life->why.empty() && read_messages(life) == Read::more) {  // its last words
    }
    const std::string status = life->process.reap();
    life->silence.cancel();
    life_.reset();
    life->is_unneeded |= plans_.empty();
    has_routes_ &= !plans_.empty();
    const std::string why =
        life->why.empty() ? "ended (" + status + ")" : "was ended: " + life->why;
    if (!life->is_unneeded)
        restart_after(life->lived(), std::string(sets::kProgramName) + " " + why);
    if (life->has_claims) begin_epochs();
    if (life->is_unneeded && !plans_.empty()) start_soon();
}

void SetSink::restart_after(std::chrono::milliseconds lived, const std::string& why) {
    const auto wait = backoff_.next(lived);
    if (std::exchange(error_, why) != why) {
        log_(sets::Level::warning,
             why + ": sets of the kernel are not filled; it is started again in " +
                 std::to_string((wait.count() + 999) / 1000) + " s");
    }
    for (const sets::SetPlan& plan : plans_)
        notify_away(plan.list);
    shown_.ended(plans_, why);
    is_starting_ = true;
    restart_.expires_after(wait);
    restart_.async_wait([this](const boost::system::error_code& error) {
        if (!error) start();
    });
}

// Messages to an ended process are lost.
void SetSink::begin_epochs() {
    for (const sets::SetPlan& plan : plans_)
        observer_.epoch(*this, plan.list);
}

// ---- what is reported

bool SetSink::send_plans(const LifePtr& life) {
    while (!plans_out_.empty()) {
        const auto sent = life->socket.send(plans_out_.front(), false);
        if (sent != SequencedSocket::End::done) {
            send_failed(life, sent);
            return false;
        }
        plans_out_.pop_front();
    }
    return true;
}

bool SetSink::send_claims(const LifePtr& life) {
    while (!claims_.empty()) {
        const auto rows = claims_.first(sets::kMostClaims);
        const auto part = sets::fitting(rows);
        const auto sent = life->socket.send(sets::encode_claims(number_, part), false);
        if (sent != SequencedSocket::End::done) {
            send_failed(life, sent);
            return false;
        }
        life->has_claims = true;
        claims_.drop_first(part.size());
    }
    return true;
}

// An ended process gets no more messages; the reader notices its end.
void SetSink::send_failed(const LifePtr& life, SequencedSocket::End how) {
    const int error = errno;
    life->waits_for_room = true;
    if (how == SequencedSocket::End::full) await_room(life);
    if (how == SequencedSocket::End::broken)
        life->give_up(std::string("it cannot be written to: ") + std::strerror(error));
}

SetSink::Read SetSink::read_messages(const LifePtr& life) {
    for (unsigned i = 0; i < kMessagesPerTurn; ++i) {
        std::string_view bytes;
        switch (life->socket.receive(bytes, false)) {
            case SequencedSocket::End::full:
                return Read::empty;
            case SequencedSocket::End::closed:
                life->give_up({});
                return Read::over;
            case SequencedSocket::End::broken:
                life->give_up("it cannot be read");
                return Read::over;
            case SequencedSocket::End::done:
                break;
        }
        auto message = sets::decode(bytes);
        if (!message || !take(std::move(*message))) {
            life->give_up("it sent a message that steerdnsd does not know");
            return Read::over;
        }
        life->last_message = steady_clock::now();
    }
    return Read::more;
}

bool SetSink::take(sets::SetMessage message) {
    const bool is_current = message.plans == number_;
    if (auto* const state = std::get_if<sets::SetState>(&message.what)) {
        if (is_current) take_state(std::move(*state));
    } else if (const auto* const written = std::get_if<sets::WrittenRows>(&message.what)) {
        for (const sets::Installed& row : written->rows) {
            if (is_current) observer_.installed(*this, row.list, row.address, row.until_s);
            settle(held_.written(row), Outcome::installed);
        }
    } else if (const auto* const refused = std::get_if<sets::RefusedRows>(&message.what)) {
        for (const sets::RefusedRow& row : refused->rows) {
            if (is_current) take_refused(row);
            settle(held_.refused(row.claim.what), Outcome::refused);
        }
    } else if (const auto* const lost = std::get_if<sets::LostLists>(&message.what)) {
        for (const ListId list : lost->lists) {
            observer_.epoch(*this, list);
            settle(held_.end(list), Outcome::failed);
        }
    } else if (const auto* const line = std::get_if<sets::LogLine>(&message.what)) {
        log_(line->level, line->text);
    } else {
        return false;
    }
    return true;
}

void SetSink::take_state(sets::SetState state) {
    if (state.index == 0) incoming_.clear();
    if (state.index != incoming_.size()) return;  // its first states belong to other plans
    write_us_ = state.write_us;
    if (state.total > 0) incoming_.push_back(std::move(state.status));
    if (incoming_.size() < state.total) return;
    if (!std::exchange(error_, {}).empty())
        log_(sets::Level::info, std::string(sets::kProgramName) + " runs again");
    notify_ready(incoming_);
    heal_full(incoming_);
    if (const auto most_ms = static_cast<std::uint64_t>(kMaxHold.count()); now_ms_ > most_ms)
        settle(held_.end_before(now_ms_ - most_ms), Outcome::failed);
    shown_.here(std::exchange(incoming_, {}));
}

}  // namespace steer::kernel_sets
