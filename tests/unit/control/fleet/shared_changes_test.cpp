// Boxes that change entries, with a model of what Redis keeps: all agree in the end.
#include "control/sinks/fleet/shared_changes.h"

#include <boost/test/unit_test.hpp>
#include <deque>
#include <filesystem>
#include <memory>

#include "support/random.h"
#include "support/temp_folder.h"

namespace steer::fleet {
namespace {

// What Redis does in shared_state.cpp's script.
struct StoreModel {
    StoredEntry put(const EntryChange& change, const std::string& box, std::uint64_t now_ms) {
        std::uint64_t at_ms = change.stamp_ms != 0 ? change.stamp_ms : change.wall_ms;
        StoredEntry& entry = entries[change.key];
        if (at_ms > 0) {
            at_ms = std::min(at_ms, now_ms + 1);
            if (entry.stamp_ms >= at_ms) return entry;
        } else {
            at_ms = std::max(now_ms, entry.stamp_ms + 1);
        }
        entry = {change.kind, change.key, change.value, box, at_ms};
        published.push_back(entry);
        return entry;
    }
    std::map<std::string, StoredEntry> entries;
    std::vector<StoredEntry> published;
};

struct Words final : shared::Entries {
    [[nodiscard]] std::string_view kind() const override { return "words"; }
    [[nodiscard]] std::vector<shared::Entry> all() const override {
        std::vector<shared::Entry> out;
        for (const auto& [key, value] : here)
            out.push_back({key, value});
        return out;
    }
    [[nodiscard]] std::size_t count() const override { return here.size(); }
    [[nodiscard]] std::string shown(const std::string& key) const override { return "word " + key; }
    [[nodiscard]] std::string value_of(const std::string& key) const override {
        const auto at = here.find(key);
        return at == here.end() ? std::string() : at->second;
    }
    Result<bool> take(const shared::Entry& entry, std::string_view) override {
        if (entry.value == "forbidden" && is_strict) return Error{"nobody may say it"};
        if (entry.value.empty())
            here.erase(entry.key);
        else if (entry.value == "over")
            return false;
        else
            here[entry.key] = entry.value;
        return true;
    }
    // As a person does.
    void set(const std::string& key, const std::string& value) {
        if (value.empty())
            here.erase(key);
        else
            here[key] = value;
        changed(key);
    }
    void end(const std::string& key) {
        here.erase(key);
        ended(key);
    }
    std::map<std::string, std::string> here;
    bool is_strict = true;
};

struct SharingBox {
    SharingBox(StoreModel& to, std::string as, std::uint64_t& clock_ms, std::string file = {})
        : store(to), name(std::move(as)), clock(clock_ms), file_(std::move(file)) {
        start();
    }
    void start() {
        changes = std::make_unique<SharedChanges>(
            io, std::vector<shared::Entries*>{&words}, file_,
            SharedChanges::World{[this](EntryChange change) { out.push_back(std::move(change)); },
                                 [this] { return static_cast<std::int64_t>(clock); },
                                 [] { return std::int64_t{0}; },
                                 [this](const std::string& line) { warnings.push_back(line); }});
        changes->set_configured(true);
    }
    // A restart: what was sent and is not answered is forgotten.
    void restart() {
        while (io.run_one_for(std::chrono::milliseconds(200)) != 0) {
        }
        io.restart();
        is_connected = false;
        out.clear();
        changes.reset();
        start();
    }
    void connect() {
        is_connected = true;
        seen = store.published.size();
        changes->begin_reading();
        to_read.clear();
        for (const auto& [key, entry] : store.entries)
            to_read.push_back(entry);
        is_reading = true;
    }
    void lose() {
        is_connected = is_reading = false;
        out.clear();  // sent, and the answer is lost; or never sent
        answers.clear();
    }
    // One step of what is under way, in an order that a network can have.
    void step(unsigned which) {
        if (!is_connected) return void(out.clear());  // there is no connection to give it to
        if (which == 0 && is_reading) {
            if (to_read.empty()) {
                is_reading = false;
                changes->read("words", {});
            } else {
                changes->arrived(to_read.front());
                to_read.pop_front();
            }
        } else if (which == 1 && !out.empty()) {
            const EntryChange change = out.front();
            out.pop_front();
            answers.emplace_back(change, store.put(change, name, clock));
        } else if (which == 2 && !answers.empty()) {
            const auto [change, stored] = answers.front();
            answers.pop_front();
            changes->stored(change, stored);
        } else if (which == 3 && seen < store.published.size()) {
            changes->arrived(store.published[seen++]);
        }
    }
    void settle() {
        for (int i = 0; i < 2'000; ++i)
            step(static_cast<unsigned>(i) % 4);
    }

    StoreModel& store;
    std::string name;
    std::uint64_t& clock;
    std::string file_;
    boost::asio::io_context io;
    Words words;
    std::unique_ptr<SharedChanges> changes;
    std::vector<std::string> warnings;
    std::deque<EntryChange> out;
    std::deque<std::pair<EntryChange, StoredEntry>> answers;
    std::deque<StoredEntry> to_read;
    std::size_t seen = 0;
    bool is_connected = false, is_reading = false;
};

struct TwoBoxes {
    std::uint64_t clock = 1'000'000;
    StoreModel store;
    SharingBox a{store, "a", clock}, b{store, "b", clock};
    void settle() {
        for (int i = 0; i < 3; ++i) {
            a.settle();
            b.settle();
        }
    }
};

BOOST_FIXTURE_TEST_SUITE(shared_changes, TwoBoxes)

BOOST_AUTO_TEST_CASE(a_change_of_one_box_is_on_the_other) {
    a.connect();
    b.connect();
    settle();
    a.words.set("ads.example", "block");
    settle();
    BOOST_TEST(b.words.value_of("ads.example") == "block");
    b.words.set("ads.example", "");
    ++clock;
    settle();
    BOOST_TEST(a.words.here.empty());
}

BOOST_AUTO_TEST_CASE(what_each_box_had_before_is_on_both) {
    a.words.here = {{"one", "a"}, {"both", "a"}};
    b.words.here = {{"two", "b"}, {"both", "b"}};
    a.connect();
    a.settle();
    b.connect();
    settle();
    BOOST_TEST((a.words.here == b.words.here));
    BOOST_TEST(a.words.here.size() == 3U);
    BOOST_TEST(a.words.value_of("both") == "a");  // it was there first
}

BOOST_AUTO_TEST_CASE(a_change_without_redis_comes_later_and_loses_to_a_newer_one) {
    a.connect();
    b.connect();
    a.words.set("one", "old");
    a.words.set("two", "old");
    settle();
    b.lose();
    clock += 10;
    b.words.set("one", "of b");
    b.words.set("two", "of b");
    b.settle();
    clock += 10;
    a.words.set("two", "of a");
    a.settle();
    clock += 10;
    b.connect();
    settle();
    BOOST_TEST(a.words.value_of("one") == "of b");
    BOOST_TEST(b.words.value_of("two") == "of a");
    BOOST_TEST((a.words.here == b.words.here));
}

BOOST_AUTO_TEST_CASE(a_removal_without_redis_survives_a_restart) {
    const test::TempFolder folder;
    SharingBox c(store, "c", clock, folder / "changes.json");
    a.connect();
    c.connect();
    a.words.set("one", "x");
    a.settle();
    c.settle();
    BOOST_TEST(c.words.value_of("one") == "x");
    c.lose();
    clock += 10;
    c.words.set("one", "");
    c.restart();
    c.connect();
    c.settle();
    a.settle();
    BOOST_TEST(c.words.here.empty());
    BOOST_TEST(a.words.here.empty());
}

BOOST_AUTO_TEST_CASE(a_refused_entry_is_a_problem_until_it_is_another) {
    a.connect();
    b.connect();
    settle();
    a.words.set("one", "forbidden");
    settle();
    BOOST_TEST(b.words.here.empty());
    BOOST_TEST_REQUIRE(b.changes->problems().size() == 1U);
    BOOST_TEST(b.changes->problems()[0].find("1 shared words differ") == 0U);
    BOOST_TEST_REQUIRE(b.warnings.size() == 1U);
    BOOST_TEST(b.warnings[0] == "word one of box \"a\" is not in force here: nobody may say it");
    // What it needs has come: it is tried again.
    b.words.is_strict = false;
    b.changes->poll(SharedChanges::kAgainMs);
    BOOST_TEST(b.words.value_of("one") == "forbidden");
    BOOST_TEST(b.changes->problems().empty());
    b.words.is_strict = true;
    a.words.set("one", "fine");
    settle();
    BOOST_TEST(b.changes->problems().empty());
    BOOST_TEST(b.words.value_of("one") == "fine");
}

BOOST_AUTO_TEST_CASE(the_end_of_an_entry_removes_it_and_nothing_newer) {
    a.connect();
    b.connect();
    settle();
    a.words.set("one", "x");
    settle();
    clock += 10;
    a.words.end("one");
    // Another box has made it again.
    b.words.set("one", "again");
    settle();
    BOOST_TEST(a.words.value_of("one") == "again");
    clock += 10;
    a.words.end("one");
    b.words.end("one");
    settle();
    BOOST_TEST(store.entries["one"].value == "");
    // An entry whose time is over where it arrives goes, too.
    a.words.set("two", "over");
    settle();
    BOOST_TEST(store.entries["two"].value == "");
}

BOOST_AUTO_TEST_CASE(without_a_fleet_nothing_is_kept) {
    a.changes->set_configured(false);
    a.words.set("one", "x");
    BOOST_TEST(a.out.empty());
    BOOST_TEST(a.changes->report().at(0).at("unsent").to_number<int>() == 0);
}

BOOST_AUTO_TEST_CASE(what_redis_refuses_is_named_and_the_others_entry_counts) {
    a.connect();
    a.settle();
    a.words.set("one", "mine");
    StoredEntry theirs{"words", "one", "theirs", "b", clock + 5};
    a.changes->arrived(theirs);  // waits for Redis's answer
    BOOST_TEST(a.words.value_of("one") == "mine");
    const EntryChange change = a.out.front();
    a.out.clear();
    a.changes->stored(change, Error{"there are too many"});
    BOOST_TEST(a.words.value_of("one") == "theirs");
    a.words.set("two", "mine");
    a.changes->stored(a.out.front(), Error{"there are too many"});
    a.out.clear();
    BOOST_TEST_REQUIRE(a.changes->problems().size() == 1U);
    BOOST_TEST(a.warnings.back() == "word two is not on the other boxes: there are too many");
    BOOST_TEST(a.changes->unsent() == 0U);
}

BOOST_AUTO_TEST_CASE(a_window_of_changes_is_under_way) {
    for (std::size_t i = 0; i < 3 * SharedChanges::kWindow; ++i)
        a.words.here["k" + std::to_string(i)] = "x";
    a.connect();
    a.step(0);  // Redis has nothing
    BOOST_TEST(a.out.size() == SharedChanges::kWindow);
    for (std::size_t i = 0; i < SharedChanges::kWindow; ++i) {
        a.step(1);
        a.step(2);
    }
    BOOST_TEST(a.out.size() <= SharedChanges::kWindow);
    BOOST_TEST(!a.out.empty());
    a.settle();
    a.settle();
    BOOST_TEST(store.entries.size() == 3 * SharedChanges::kWindow);
}

BOOST_AUTO_TEST_CASE(what_redis_does_not_read_is_a_problem) {
    a.connect();
    a.changes->read("words", Error{"Redis does not read them: WRONGTYPE"});
    BOOST_TEST_REQUIRE(a.changes->problems().size() == 1U);
    BOOST_TEST(a.changes->problems()[0].find("WRONGTYPE") != std::string::npos);
    a.settle();
    BOOST_TEST(a.changes->problems().empty());
}

// Random changes, losses of connections and orders.
BOOST_AUTO_TEST_CASE(boxes_agree_in_the_end) {
    for (std::uint32_t seed = 1; seed <= 300; ++seed) {
        test::Random random(seed);
        std::uint64_t now_ms = 1'000'000;
        StoreModel redis;
        std::deque<SharingBox> boxes;
        for (const char* const name : {"a", "b", "c"})
            boxes.emplace_back(redis, name, now_ms);
        for (int i = 0; i < 400; ++i) {
            SharingBox& box = boxes[random.below(3)];
            now_ms += random.below(3);
            switch (random.below(12)) {
                case 0:
                    box.words.set("k" + std::to_string(random.below(4)),
                                  random.below(3) == 0 ? "" : std::to_string(i));
                    break;
                case 1:
                    if (!box.is_connected) box.connect();
                    break;
                case 2:
                    if (random.below(4) == 0) box.lose();
                    break;
                default:
                    box.step(random.below(4));
            }
        }
        for (SharingBox& box : boxes)
            if (!box.is_connected) box.connect();
        for (int i = 0; i < 4; ++i)
            for (SharingBox& box : boxes)
                box.settle();
        for (const SharingBox& box : boxes) {
            BOOST_TEST((box.words.here == boxes.front().words.here), "seed " << seed);
            for (const auto& [key, entry] : redis.entries)
                BOOST_TEST(box.words.value_of(key) == entry.value, "seed " << seed);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::fleet
