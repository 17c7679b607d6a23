#include "control/cache/cache_service.h"

#include <sys/stat.h>

#include <pthread.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "control/host/process/helper_work.h"
#include "dataplane/cache/arena.h"
#include "dataplane/cache/walk.h"

namespace steer {
namespace {

using namespace std::chrono_literals;

constexpr auto kWriterDelay = 50us;             // about, for some drops
constexpr std::uint64_t kInFlightMs = 10'000;   // an insert, at most
constexpr std::uint64_t kEnoughChanges = 1024;  // for a dump between (as ForgeDNS)
constexpr std::uint64_t kOldIntervals = 10;     // a file of this age is written after any change

std::uint64_t wall_ms() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

// When the file was written, in milliseconds since 1970; now if there is none yet.
std::uint64_t written_ms(const std::string& path) {
    struct stat facts;
    if (::stat(path.c_str(), &facts) != 0) return wall_ms();
    return static_cast<std::uint64_t>(facts.st_mtim.tv_sec) * 1000 +
           static_cast<std::uint64_t>(facts.st_mtim.tv_nsec) / 1'000'000;
}

HeldAnswer held(const cache::Entry& e, std::uint32_t now_s) {
    const auto* const answer = reinterpret_cast<const std::uint8_t*>(&e.answer());
    const auto name = e.name();
    const auto whole = e.qname();
    return {.instance = e.instance,
            .qtype = e.qtype,
            .qclass = e.qclass,
            .flags = e.flags,
            .age_s = e.born.age_s(now_s),
            .bytes = cache::kSlotSizes[e.size_class],
            .left_s = static_cast<std::int32_t>(e.expires_s - now_s),
            .usable_s = static_cast<std::int32_t>(e.usable_until_s - now_s),
            .visited = e.visited.load(std::memory_order_relaxed) != 0,
            .name = {name.begin(), name.end()},
            .subnet = {whole.begin() + static_cast<std::ptrdiff_t>(name.size()), whole.end()},
            .lists = {e.lists.begin(), e.lists.begin() + e.list_count},
            .answer = {answer, answer + e.answer().size()}};
}

Error busy() {
    return Error{"too many cache requests at one time: try again when they are done"};
}

}  // namespace

CacheService::CacheService(boost::asio::io_context& main_io, DataplaneRuntime& runtime,
                           Clock& clock, std::vector<CacheOf> caches, std::vector<ListName> lists,
                           Say say)
    : main_io_(main_io),
      runtime_(runtime),
      clock_(clock),
      cache_(*runtime.shared().cache),
      caches_(std::move(caches)),
      lists_(std::move(lists)),
      say_(std::move(say)),
      states_(caches_.size()) {
    for (std::size_t i = 0; i < caches_.size(); ++i)
        timers_.emplace_back(main_io_);
}

CacheService::~CacheService() {
    stop();
}

// ---- the thread

void CacheService::start() {
    thread_ = std::thread([this] { run(); });
    pthread_setname_np(thread_.native_handle(), "cache");
    for (std::size_t i = 0; i < caches_.size(); ++i)
        begin_dumps(i);
}

void CacheService::follow(std::vector<CacheOf> caches, std::vector<ListName> lists) {
    lists_ = std::move(lists);
    for (std::size_t i = 0; i < caches_.size(); ++i) {
        const auto at = std::find_if(caches.begin(), caches.end(), [&](const CacheOf& one) {
            return one.instance == caches_[i].instance;
        });
        CacheOf now = caches_[i];
        now.dump_file.clear();
        if (at != caches.end()) {
            now = std::move(*at);
            caches.erase(at);
        }
        const bool same =
            now.dump_file == caches_[i].dump_file && now.dump_interval == caches_[i].dump_interval;
        caches_[i] = std::move(now);
        if (same) continue;
        states_[i].error.clear();
        timers_[i].cancel();
        begin_dumps(i);
    }
    for (auto& one : caches) {
        caches_.push_back(std::move(one));
        states_.emplace_back();
        timers_.emplace_back(main_io_);
        begin_dumps(caches_.size() - 1);
    }
}

void CacheService::stop() {
    for (auto& timer : timers_)
        timer.cancel();
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        jobs_.clear();
    }
    wanted_.notify_one();
    thread_.join();
}

void CacheService::run() {
    std::unique_lock lock(mutex_);
    for (;;) {
        wanted_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
        if (stopping_) return;
        const auto job = std::move(jobs_.front());
        jobs_.pop_front();
        lock.unlock();
        {
            const HelperWork watched("cache");
            job();
        }
        lock.lock();
    }
}

bool CacheService::post(std::function<void()> job) {
    {
        const std::lock_guard lock(mutex_);
        if (stopping_ || jobs_.size() >= kMaxJobs) return false;
        jobs_.push_back(std::move(job));
    }
    wanted_.notify_one();
    return true;
}

// ---- flush

void CacheService::flush(Filter filter, const Counted& done) {
    const bool taken = post([this, filter = std::move(filter), done] {
        auto dropped = flush_now(filter);
        boost::asio::post(main_io_, [done, dropped = std::move(dropped)] { done(dropped); });
    });
    if (!taken) done(busy());
}

// An idle cache writer sleeps; the page that the walk holds must not wait for it.
bool CacheService::wait_for_cache_writers() {
    while (cache_.orders_pending()) {
        if (stopping_) return false;
        wake_cache_writers();
        std::this_thread::sleep_for(kWriterDelay);
    }
    return true;
}

// Those that have orders or offers.
void CacheService::wake_cache_writers() {
    for (unsigned shard = 0; shard < cache_.shards(); ++shard) {
        if (cache_.orders_pending(shard) || cache_.offers_pending(shard))
            runtime_.worker_sleeper(cache_.writer_of(shard)).wake();
    }
}

Result<std::uint64_t> CacheService::flush_now(const Filter& filter) {
    const std::uint64_t begun_ms = clock_.now().ms;
    cache_.refuse_born_until(begun_ms, UINT64_MAX);
    cache::Walk::wait_for_readers(cache_);  // from here on all cache writers know it
    std::uint64_t dropped = 0;
    {
        cache::Walk walk(cache_, kWalkReader);
        std::vector<cache::SlotId> wanted;
        for (auto page = walk.next(); !page.empty(); page = walk.next()) {
            wanted.clear();
            for (const auto& [slot, entry] : page) {
                if (filter(*entry)) wanted.push_back(slot);
            }
            if (wanted.empty()) continue;
            cache_.ask_to_drop(walk.shard(), wanted);
            dropped += wanted.size();
            if (!wait_for_cache_writers())
                return Error{"steerdnsd is stopping: the flush is not complete"};
        }
    }
    cache::Walk::wait_for_readers(cache_);
    cache_.refuse_born_until(begun_ms, clock_.now().ms + kInFlightMs);
    return dropped;
}

// ---- reading

// Adds the entry if it has room. False: it is the first one without.
bool CacheService::hold(const cache::Entry& entry, std::size_t most, HeldAnswers& page,
                        std::size_t& bytes) const {
    if (page.answers.size() == most || bytes >= kMostHeld) return false;
    page.answers.push_back(held(entry, clock_.now().s()));
    bytes += page.answers.back().answer.size();
    return true;
}

HeldAnswers CacheService::page_of(const Filter& filter, cache::WalkPlace from,
                                  std::size_t most) const {
    HeldAnswers page;
    std::size_t bytes = 0;
    cache::Walk walk(cache_, kWalkReader, from);
    for (auto seen = walk.next(); !seen.empty(); seen = walk.next()) {
        if (stopping_) break;
        for (const auto& [slot, entry] : seen) {
            if (!filter(*entry) || hold(*entry, most, page, bytes)) continue;
            page.next = cache::WalkPlace{walk.shard(), slot};
            return page;
        }
    }
    return page;
}

void CacheService::show(Filter filter, cache::WalkPlace from, std::size_t most,
                        const std::function<void(Result<HeldAnswers>)>& done) {
    const bool taken = post([this, filter = std::move(filter), from, most, done] {
        boost::asio::post(main_io_, [done, page = page_of(filter, from, most)]() mutable {
            done({boost::system::in_place_value, std::move(page)});
        });
    });
    if (!taken) done(busy());
}

// ---- dumps

DumpScope CacheService::scope(std::size_t i) const {
    return {caches_[i].instance, caches_[i].tag, lists_};
}

std::uint64_t CacheService::changes(std::size_t i) const {
    const auto stats = cache_.instance_stats(caches_[i].instance);
    return stats.inserts + stats.flushed;
}

void CacheService::restore() {
    for (std::size_t i = 0; i < caches_.size(); ++i) {
        const std::string& path = caches_[i].dump_file;
        if (path.empty() || DumpReader::missing(path)) continue;
        const Now now = clock_.now();
        const auto restored = restore_instance(cache_, *runtime_.shared().hasher, scope(i), now,
                                               wall_ms(), path, as_the_cache_writers(cache_, now));
        states_[i].changes_then = changes(i);
        if (!restored) {
            say_(true,
                 restored.error().sentence() + " (cache '" + caches_[i].tag + "' starts empty)");
            continue;
        }
        states_[i].restored = restored->answers;
        say_(false, "cache '" + caches_[i].tag + "': " + std::to_string(restored->answers) +
                        " answers restored from " + path +
                        (restored->expired == 0
                             ? ""
                             : ", " + std::to_string(restored->expired) + " had expired"));
    }
}

void CacheService::begin_dumps(std::size_t i) {
    states_[i].written_ms = written_ms(caches_[i].dump_file);
    arm(i);
}

void CacheService::arm(std::size_t i) {
    if (caches_[i].dump_file.empty()) return;
    timers_[i].expires_after(caches_[i].dump_interval);
    timers_[i].async_wait([this, i](const boost::system::error_code& error) {
        if (error) return;
        dump_if_changed(i);
        arm(i);
    });
}

void CacheService::dump_if_changed(std::size_t i) {
    DumpState& state = states_[i];
    const std::uint64_t now_changes = changes(i);
    const std::uint64_t new_changes = now_changes - state.changes_then;
    const auto interval_ms = static_cast<std::uint64_t>(caches_[i].dump_interval.count());
    const bool is_old = wall_ms() >= state.written_ms + kOldIntervals * interval_ms;
    if (state.is_in_progress || new_changes == 0 || (new_changes < kEnoughChanges && !is_old))
        return;
    state.is_in_progress = true;
    dump(caches_[i].instance, caches_[i].dump_file,
         [this, i, now_changes](const Result<std::uint64_t>& answers) {
             note_dump(i, now_changes, answers);
         });
}

void CacheService::note_dump(std::size_t i, std::uint64_t changes,
                             const Result<std::uint64_t>& answers) {
    DumpState& state = states_[i];
    state.is_in_progress = false;
    if (!answers) {
        ++state.failed;
        state.error = answers.error().sentence();
        say_(true, state.error);
        return;
    }
    state.error.clear();
    state.dumped = *answers;
    state.at_ms = clock_.now().ms;
    state.written_ms = wall_ms();
    state.changes_then = changes;
}

std::vector<std::string> CacheService::problems() const {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < caches_.size(); ++i) {
        if (states_[i].error.empty()) continue;
        std::string text = "the last dump of cache '" + caches_[i].tag + "' failed: ";
        text.append(states_[i].error);
        all.push_back(text.append("; a restart loses its answers: check the folder and its space"));
    }
    return all;
}

std::size_t CacheService::place_of(std::uint16_t instance) const {
    std::size_t i = 0;
    while (caches_[i].instance != instance)
        ++i;
    return i;
}

void CacheService::restore_from(std::uint16_t instance, std::string path,
                                const std::function<void(Result<Restored>)>& done) {
    const bool taken =
        post([this, scope = scope(place_of(instance)), path = std::move(path), done] {
            const HandOver hand_over = [this](std::span<const cache::Cache::Offer> offers) {
                cache_.offer(offers);
                // Also at the end of the process: the cache writers still read this batch, and workers end after us.
                while (cache_.offers_pending()) {
                    wake_cache_writers();
                    std::this_thread::sleep_for(kWriterDelay);
                }
                return !stopping_;
            };
            auto restored = restore_instance(cache_, *runtime_.shared().hasher, scope, clock_.now(),
                                             wall_ms(), path, hand_over);
            boost::asio::post(main_io_, [done, restored = std::move(restored)] { done(restored); });
        });
    if (!taken) done(busy());
}

void CacheService::dump(std::uint16_t instance, std::string path, const Counted& done) {
    const bool taken =
        post([this, scope = scope(place_of(instance)), path = std::move(path), done] {
            auto answers = dump_instance(cache_, kWalkReader, scope, clock_.now(), wall_ms(), path);
            boost::asio::post(main_io_, [done, answers = std::move(answers)] { done(answers); });
        });
    if (!taken) done(busy());
}

void CacheService::dump_at_end() {
    for (std::size_t i = 0; i < caches_.size(); ++i) {
        const std::uint64_t now_changes = changes(i);
        if (caches_[i].dump_file.empty() || now_changes == states_[i].changes_then) continue;
        note_dump(i, now_changes,
                  dump_instance(cache_, kWalkReader, scope(i), clock_.now(), wall_ms(),
                                caches_[i].dump_file));
    }
}

}  // namespace steer
