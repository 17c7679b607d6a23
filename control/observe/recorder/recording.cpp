#include "control/observe/recorder/recording.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "control/config/advice/graph.h"
#include "matchers/version.h"

namespace steer::recorder {
namespace {

// What the database's thread depends on.
bool same_database(config::QueryRecorder a, const config::QueryRecorder& b) {
    a.json = b.json;
    a.hit_log = b.hit_log;
    a.dnstap = b.dnstap;
    a.one_in = b.one_in;
    a.mask4 = b.mask4;
    a.mask6 = b.mask6;
    a.except_clients = b.except_clients;
    a.include_marks = b.include_marks;
    a.exclude_marks = b.exclude_marks;
    return a == b;
}

DnstapSource source_of(const config::RecorderTap& tap) {
    std::string identity = tap.identity;
    if (identity.empty()) {
        std::array<char, 256> name{};
        if (::gethostname(name.data(), name.size() - 1) == 0) identity = name.data();
    }
    return {std::move(identity), "SteerDNS " + std::string(kVersion)};
}

std::uint64_t bits_of(const std::vector<std::uint32_t>& wanted, const MarkBits& marks) {
    std::uint64_t bits = 0;
    for (const std::uint32_t mark : wanted) {
        if (const auto at = marks.find(mark); at != marks.end())
            bits |= std::uint64_t{1} << at->second;
    }
    return bits;
}

}  // namespace

std::vector<RecordingPlan> recording_plans(const config::Settings& settings,
                                           const MarkBits& marks) {
    std::vector<RecordingPlan> plans;
    for (config::PluginIndex i = 0; i < settings.plugins.size(); ++i) {
        const auto* const args = std::get_if<config::QueryRecorder>(&settings.plugins[i].args);
        if (args == nullptr) continue;
        RecordingPlan plan{.tag = settings.plugins[i].tag,
                           .settings = *args,
                           .include = bits_of(args->include_marks, marks),
                           .exclude = bits_of(args->exclude_marks, marks)};
        for (std::size_t entry = 0; entry < settings.entries.size(); ++entry) {
            std::vector<bool> seen(settings.plugins.size());
            std::vector<config::PluginIndex> todo{settings.entries[entry]};
            while (!todo.empty()) {
                const auto at = todo.back();
                todo.pop_back();
                if (seen[at]) continue;
                seen[at] = true;
                for (const auto& reference : config::references_of(settings.plugins[at]))
                    todo.push_back(reference.to);
            }
            if (seen[i]) plan.entries |= 1U << entry;
        }
        if (plan.entries != 0) plans.push_back(std::move(plan));
    }
    return plans;
}

Recording::Recording(RecordingPlan plan, WallClock now, Warn warn)
    : plan_(std::move(plan)),
      now_(std::move(now)),
      warn_(std::move(warn)),
      except_(plan_.settings.except_clients) {
    open(nullptr);
}

Recording::Recording(RecordingPlan plan, WallClock now, Warn warn, Recording& old)
    : plan_(std::move(plan)),
      now_(std::move(now)),
      warn_(std::move(warn)),
      except_(plan_.settings.except_clients) {
    old.hand_over(now_(), true);
    open(&old);
}

void Recording::open(Recording* old) {
    const auto& settings = plan_.settings;
    if (old != nullptr) {
        const auto& before = old->plan_.settings;
        if (same_database(before, settings)) database_ = std::move(old->database_);
        if (before.json == settings.json) json_ = std::move(old->json_);
        if (before.hit_log == settings.hit_log) hits_ = std::move(old->hits_);
        if (before.dnstap == settings.dnstap) tap_ = std::move(old->tap_);
        // The others end first: a file has one writer.
        old->database_.reset();
        old->json_.reset();
        old->hits_.reset();
        old->tap_.reset();
        taken_ = old->taken_;
        skipped_ = old->skipped_;
        unmarked_ = old->unmarked_;
    }
    const Warn named = [warn = warn_, tag = plan_.tag](const std::string& sentence) {
        warn("query_recorder '" + tag + "': " + sentence);
    };
    if (!settings.path.empty() && !database_)
        database_ = std::make_unique<DatabaseThread>(settings, now_, named);
    using Lines = JsonThread::Lines;
    if (settings.json && !json_)
        json_ = std::make_unique<JsonThread>(*settings.json, Lines::queries, now_, named);
    if (settings.hit_log && !hits_)
        hits_ = std::make_unique<JsonThread>(*settings.hit_log, Lines::hits, now_, named);
    if (settings.dnstap && !tap_)
        tap_ = std::make_unique<DnstapSink>(*settings.dnstap, source_of(*settings.dnstap), named);
}

// A record may stand for several queries already, because workers sample for the greediest reader.
bool Recording::is_sampled(RecordedQuery& query) {
    const std::uint32_t wanted = plan_.settings.one_in;
    if (query.stands_for >= wanted) return true;
    random_ ^= random_ << 13U;
    random_ ^= random_ >> 7U;
    random_ ^= random_ << 17U;
    if (random_ % wanted >= query.stands_for) return false;
    query.stands_for = wanted;
    return true;
}

bool Recording::is_of_excepted_client(const RecordedQuery& query) const {
    return !except_.empty() && except_.contains(query.client);
}

bool Recording::has_wanted_marks(const RecordedQuery& query) const {
    const bool is_included =
        plan_.settings.include_marks.empty() || (query.marks & plan_.include) != 0;
    return is_included && (query.marks & plan_.exclude) == 0;
}

bool Recording::is_excepted(const RecordedQuery& query) const {
    return is_ours(query) && (is_of_excepted_client(query) || (query.marks & plan_.exclude) != 0);
}

void Recording::mask(RecordedQuery& query) const {
    const auto& settings = plan_.settings;
    if (!is_ours(query) || (settings.mask4 >= 32 && settings.mask6 >= 128)) return;
    query.client = masked(query.client, settings.mask4, settings.mask6);
    query.client_port = 0;
}

void Recording::take(const RecordedQuery& recorded) {
    if (!is_ours(recorded)) return;
    if (is_of_excepted_client(recorded)) {
        ++skipped_;
        return;
    }
    if (!has_wanted_marks(recorded)) {
        ++unmarked_;
        return;
    }
    RecordedQuery query = recorded;
    if (!is_sampled(query)) return;
    ++taken_;
    const auto& settings = plan_.settings;
    const bool hides = settings.mask4 < 32 || settings.mask6 < 128;
    if (hides) {
        query.client = masked(query.client, settings.mask4, settings.mask6);
        query.client_port = 0;
    }
    std::array<char, INET6_ADDRSTRLEN> client{};
    const bool v4 = query.client.is_v4();
    ::inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? query.client.v4() : query.client.bytes.data(),
                client.data(), client.size());
    query.client_text = client.data();
    if (tap_) {
        if (hides) {
            query_copy_.assign(query.query.begin(), query.query.end());
            response_copy_.assign(query.response.begin(), query.response.end());
            blank_client_options(query_copy_, settings.mask4, settings.mask6);
            blank_client_options(response_copy_, settings.mask4, settings.mask6);
            query.query = query_copy_;
            query.response = response_copy_;
        }
        tap_->send(query);
    }
    if (json_) {
        json_line_.append(query, lines_.text);
        ++lines_.lines;
        if (lines_.text.size() >= kJsonBatch) {
            push(lines_, *json_);
            lines_.text.reserve(kJsonBatch + 1024);
        }
    }
    if (hits_ && query.logs_hit) {
        json_line_.append_hit(query, hit_lines_.text);
        ++hit_lines_.lines;
        if (hit_lines_.text.size() >= kJsonBatch) push(hit_lines_, *hits_);
    }
    if (database_) {
        rows_.add(query);
        if (rows_.size() >= settings.batch_size) {
            const std::size_t rows = rows_.size();
            (void)database_->push(std::exchange(rows_, {}), rows, rows);
        }
    }
}

void Recording::hand_over(std::int64_t now_us, bool all) {
    if (tap_) tap_->poll();
    const std::int64_t interval_us = std::int64_t{plan_.settings.flush_interval_ms} * 1000;
    if (!all && now_us - handed_us_ < interval_us && now_us >= handed_us_) return;
    handed_us_ = now_us;
    if (database_ && !rows_.empty()) {
        const std::size_t rows = rows_.size();
        (void)database_->push(std::exchange(rows_, {}), rows, rows);
    }
    if (json_ && lines_.lines > 0) push(lines_, *json_);
    if (hits_ && hit_lines_.lines > 0) push(hit_lines_, *hits_);
}

void Recording::push(TextBatch& lines, JsonThread& to) {
    const std::uint64_t count = lines.lines;
    const std::size_t size = lines.text.size();
    (void)to.push(std::exchange(lines, {}), size, count);
}

void Recording::note_lost(std::uint32_t queries) {
    if (hits_) hits_->note_lost(queries);
}

bool Recording::flush(std::chrono::milliseconds patience) {
    const bool rows = !database_ || database_->flush(patience);
    const bool lines = !json_ || json_->flush(patience);
    const bool hits = !hits_ || hits_->flush(patience);
    return rows && lines && hits;
}

Recording::Status Recording::status() const {
    Status status{.tag = plan_.tag,
                  .taken = taken_,
                  .skipped = skipped_,
                  .unmarked = unmarked_,
                  .one_in = plan_.settings.one_in,
                  .masks_clients = plan_.settings.mask4 < 32 && plan_.settings.mask6 < 128,
                  .sinks = {}};
    if (database_) status.sinks.push_back(database_->status());
    if (json_) status.sinks.push_back(json_->status());
    if (hits_) status.sinks.push_back(hits_->status());
    if (tap_) {
        status.sinks.push_back({.kind = "dnstap",
                                .place = tap_->address(),
                                .written = tap_->sent(),
                                .dropped = tap_->lost(),
                                .failed = tap_->failed(),
                                .error = tap_->connected() ? "" : tap_->error(),
                                .is_well = tap_->connected()});
    }
    return status;
}

}  // namespace steer::recorder
