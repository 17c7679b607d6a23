#include "tools/rossim/cpu.h"

#include <algorithm>
#include <utility>

namespace rossim {

void Cpu::choose_next() {
    if (random_ == 0 || jobs_.size() < 2) return;
    random_ ^= random_ << 13;  // xorshift64
    random_ ^= random_ >> 7;
    random_ ^= random_ << 17;
    const std::size_t chosen = random_ % jobs_.size();
    if (jobs_[chosen]->tag) std::swap(jobs_.front(), jobs_[chosen]);
}

void Cpu::begin_slice(std::int64_t now_us) {
    begin_us_ = now_us;
    if (jobs_.empty()) {
        idle_since_us_ = now_us;
        return;
    }
    choose_next();
    Job& job = *jobs_.front();
    job.started = true;
    cpu_class_ = job.cpu_class;
    end_us_ = now_us + std::clamp<std::int64_t>(job.wants_us(), 0, kSliceUs);
}

void Cpu::note_busy(std::int64_t begin_us, std::int64_t end_us) {
    busy_us_[static_cast<std::size_t>(cpu_class_)] += end_us - begin_us;
    if (!busy_.empty() && busy_.back().end_us == begin_us) {
        busy_.back().end_us = end_us;
    } else if (end_us > begin_us) {
        busy_.push_back({begin_us, end_us});
    }
    while (!busy_.empty() && busy_.front().end_us < end_us - 1'000'000)
        busy_.pop_front();
}

void Cpu::push(std::unique_ptr<Job> job, std::int64_t now_us) {
    jobs_.push_back(std::move(job));
    if (jobs_.size() > 1 || working_) return;
    if (paused_left_us_) {
        paused_left_us_ = 0;
    } else {
        begin_slice(now_us);
    }
}

std::optional<std::int64_t> Cpu::slice_end_us() const {
    if (jobs_.empty() || paused_left_us_) return std::nullopt;
    return end_us_;
}

void Cpu::run_slice() {
    const std::int64_t now_us = end_us_;
    note_busy(begin_us_, now_us);
    // The job may push and remove others: it is not in the queue while it works.
    std::unique_ptr<Job> job = std::move(jobs_.front());
    jobs_.pop_front();
    working_ = true;
    const bool over = job->work(now_us - begin_us_, now_us);
    working_ = false;
    if (!over) jobs_.push_back(std::move(job));
    begin_slice(now_us);
}

void Cpu::remove_if(const std::function<bool(const Job&)>& condition, std::int64_t now_us) {
    const bool had_jobs = !jobs_.empty();
    const Job* const front = had_jobs ? jobs_.front().get() : nullptr;
    std::erase_if(jobs_, [&](const auto& job) { return condition(*job); });
    const bool same_front = !jobs_.empty() && jobs_.front().get() == front;
    if (!had_jobs || same_front || working_) return;
    if (paused_left_us_) {
        paused_left_us_ = 0;
        return;
    }
    note_busy(begin_us_, std::min(now_us, end_us_));
    begin_slice(now_us);
}

void Cpu::pause(std::int64_t now_us) {
    if (paused_left_us_) return;
    paused_left_us_ = jobs_.empty() ? 0 : end_us_ - now_us;
}

void Cpu::resume(std::int64_t now_us) {
    if (!paused_left_us_) return;
    const std::int64_t left_us = *paused_left_us_;
    paused_left_us_.reset();
    if (jobs_.empty()) return;
    if (left_us == 0) {
        begin_slice(now_us);
    } else {
        const std::int64_t worked_us = end_us_ - left_us - begin_us_;
        begin_us_ = now_us - worked_us;
        end_us_ = now_us + left_us;
    }
}

int Cpu::load_percent(std::int64_t now_us) const {
    std::int64_t busy_us = 0;
    const auto add = [&](std::int64_t begin_us, std::int64_t end_us) {
        busy_us += std::max<std::int64_t>(
            0, std::min(end_us, now_us) - std::max(begin_us, now_us - 1'000'000));
    };
    for (const Interval& interval : busy_)
        add(interval.begin_us, interval.end_us);
    if (slice_end_us()) add(begin_us_, end_us_);
    return static_cast<int>(busy_us / 10'000);
}

}  // namespace rossim
