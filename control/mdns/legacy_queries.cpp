#include "control/mdns/legacy_queries.h"

#include <algorithm>

#include "control/mdns/message_writer.h"

namespace steer::mdns {
namespace {

std::uint16_t class_of(std::uint16_t klass) {
    return static_cast<std::uint16_t>(klass & ~kTopBit);
}

bool answers(const Record& record, const Question& question) {
    const std::uint16_t asked = class_of(question.klass);
    return record.key == question.key &&
           (question.type == dns::kAny || record.type == question.type ||
            record.type == dns::kCname) &&
           (asked == dns::kAnyClass || class_of(record.klass) == asked);
}

// Nothing is written that would not fit.
bool put(MessageWriter& writer, Section section, const Record& record, std::size_t room) {
    const std::size_t before = writer.size();
    writer.record(section, record, class_of(record.klass),
                  std::min(record.ttl_s, LegacyQueries::kMaxTtlS));
    if (writer.size() <= room) return true;
    writer.undo_record(section, before);
    return false;
}

}  // namespace

void LegacyQueries::forget_old(std::uint64_t now_ms) {
    std::erase_if(waiting_, [now_ms](const Waiting& w) {
        return now_ms - w.since_ms >= kPatienceMs || w.replies >= kMaxReplies;
    });
}

bool LegacyQueries::remember(const LegacyQuerier& querier, const Message& query,
                             std::uint64_t now_ms) {
    forget_old(now_ms);
    const Question& question = query.questions.front();
    std::size_t of_querier = 0;
    for (Waiting& w : waiting_) {
        if (w.querier.address == querier.address) ++of_querier;
        if (w.querier != querier || w.id != query.id || w.question.key != question.key ||
            w.question.type != question.type)
            continue;
        w.since_ms = now_ms;  // it asks again
        return true;
    }
    if (waiting_.size() >= kMax || of_querier >= kMaxOfAsker) return false;
    waiting_.push_back(
        {.querier = querier, .id = query.id, .question = question, .since_ms = now_ms});
    return true;
}

void LegacyQueries::answer(const Message& response, int if_index, std::uint64_t now_ms,
                           const Send& send) {
    forget_old(now_ms);
    for (Waiting& w : waiting_) {
        if (w.querier.if_index == if_index) continue;  // it has the answer from who gave it
        MessageWriter writer(w.id, dns::kQr | dns::kAa, Reader::legacy);
        writer.question(w.question.name, w.question.type, class_of(w.question.klass));
        bool answered = false;
        for (const Record& record : response.records) {
            if (answers(record, w.question) && record.ttl_s != 0)
                answered |= put(writer, Section::answer, record, kReplyBytes);
        }
        if (!answered) continue;
        for (const Record& record : response.records) {
            if (!answers(record, w.question) && record.ttl_s != 0 && record.type != dns::kOpt)
                (void)put(writer, Section::additional, record, kPlainReplyBytes);
        }
        ++w.replies;
        send(w.querier, writer.take());
    }
}

}  // namespace steer::mdns
