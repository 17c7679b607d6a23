#include "control/api/log/log_queue.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace steer::ops {

// Before each text, at a multiple of its alignment.
struct LogQueue::Record {
    spdlog::log_clock::time_point time;
    std::uint64_t lost_before;
    std::uint32_t size;
    spdlog::level::level_enum level;
    bool changes_output;
};

namespace {

constexpr std::size_t kMostText = LogQueue::kChunkBytes / 2;
constexpr std::size_t kAlign = alignof(std::uint64_t);

constexpr std::size_t rounded(std::size_t bytes) {
    return (bytes + kAlign - 1) / kAlign * kAlign;
}

}  // namespace

LogQueue::Line LogQueue::Batch::at(std::size_t& offset) const {
    Record record;
    std::memcpy(&record, bytes_.get() + offset, sizeof record);
    const auto* const text = reinterpret_cast<const char*>(bytes_.get() + offset + sizeof record);
    offset += rounded(sizeof record + record.size);
    return {
        record.time, record.level, {text, record.size}, record.lost_before, record.changes_output};
}

bool LogQueue::push(const Line& line, LineKind kind) {
    constexpr std::size_t kOfLine = rounded(sizeof(Record) + kLineBytes);
    const std::size_t charge = rounded(sizeof(Record) + std::min(line.text.size(), kMostText));
    const auto reserve = static_cast<std::size_t>(kind);
    std::size_t room = 0;  // the common one
    if (used_[room] + charge > kLines * kOfLine) {
        room = reserve;
        if (room == 0 || used_[room] + charge > kReservedLines * kOfLine) {
            ++lost_;
            return false;
        }
    }
    if (append(line, room, charge)) return true;
    ++lost_;
    return false;
}

void LogQueue::push_change_of_output() {
    Line change;
    change.changes_output = true;
    if (!append(change, 0, rounded(sizeof(Record)))) throw std::bad_alloc();
}

// False: there is no memory for a chunk.
bool LogQueue::append(const Line& line, std::size_t room, std::size_t charge) {
    if (chunks_.empty() || chunks_.back().used_ + charge > kChunkBytes) {
        Batch fresh;
        fresh.bytes_ = std::exchange(spare_, nullptr);
        if (fresh.bytes_ == nullptr) fresh.bytes_.reset(new (std::nothrow) std::byte[kChunkBytes]);
        if (fresh.bytes_ == nullptr) return false;
        chunks_.push_back(std::move(fresh));
    }
    Batch& last = chunks_.back();
    const std::string_view text = line.text.substr(0, kMostText);
    const Record record{line.time, std::exchange(lost_, 0), static_cast<std::uint32_t>(text.size()),
                        line.level, line.changes_output};
    std::byte* const at = last.bytes_.get() + last.used_;
    std::memcpy(at, &record, sizeof record);
    std::ranges::copy(std::as_bytes(std::span(text)), at + sizeof record);
    last.used_ += charge;
    last.charged_[room] += charge;
    used_[room] += charge;
    return true;
}

std::optional<LogQueue::Batch> LogQueue::take() {
    if (chunks_.empty()) return std::nullopt;
    std::optional<Batch> batch(std::move(chunks_.front()));
    chunks_.pop_front();
    return batch;
}

void LogQueue::release(Batch batch) {
    for (std::size_t i = 0; i < used_.size(); ++i)
        used_[i] -= batch.charged_[i];
    spare_ = std::move(batch.bytes_);
}

std::uint64_t LogQueue::take_lost() {
    return std::exchange(lost_, 0);
}

}  // namespace steer::ops
