// One zone with a primary that is a function.
#include "control/sources/transfer/kept_zone.h"

#include <sys/resource.h>

#include <csignal>
#include <filesystem>

#include "support/temp_folder.h"
#include "zone_maker.h"

namespace steer::transfer::test {
namespace {

const std::string kFeed = "rpz.example";

// Answers as a primary does; `versions` are its zones by serial.
struct Primary {
    Exchanged operator()(const ExchangeRequest& request) {
        requests.push_back(request);
        Exchanged out;
        if (is_away) {
            out.outcome = TransferOutcome::unreachable;
            out.why = "connecting failed";
            return out;
        }
        out.serial = serial;
        out.bytes = 100;
        if (!request.any_serial && request.have && !is_newer_serial(serial, *request.have)) {
            out.outcome = TransferOutcome::unchanged;
            return out;
        }
        if (request.have && !request.whole && request.incremental && !differences.empty()) {
            out.outcome = TransferOutcome::incremental;
            out.differences = differences;
            return out;
        }
        out.outcome = TransferOutcome::whole;
        out.image = image_of(text, kFeed);
        return out;
    }
    std::vector<ExchangeRequest> requests;
    bool is_away = false;
    std::uint32_t serial = 1;
    std::string text = soa(1) + "bad 60 CNAME .\n";
    std::vector<ZoneDifference> differences;
};

struct Case {
    Case() {
        settings.zone = wire(kFeed);
        settings.primaries = {{*IpAddress::parse("192.0.2.1"), 53, false},
                              {*IpAddress::parse("192.0.2.2"), 53, false}};
        settings.max_bytes = 1 << 20;
        settings.max_records = 1000;
        settings.file = folder / "zone.kept";
        settings.list_file = folder / "zone";
    }
    KeptZone make() {
        build::SecondaryPlan plan{"feed", settings, true, policy, nullptr};
        return KeptZone(plan, targets,
                        [this](const ExchangeRequest& request, const std::stop_token&) {
                            return primary(request);
                        });
    }
    steer::test::TempFolder folder;
    config::Secondary settings;
    std::shared_ptr<LivePolicy> policy = std::make_shared<LivePolicy>();
    std::uint64_t now_s = 1'000;
    std::shared_ptr<LiveTargets> all_targets =
        std::make_shared<LiveTargets>([this] { return now_s; });
    std::shared_ptr<ZoneTargets> targets = std::make_shared<ZoneTargets>(all_targets);
    Primary primary;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(kept_zone)

BOOST_AUTO_TEST_CASE(the_first_transfer_is_whole_and_later_ones_are_changes) {
    Case one;
    KeptZone zone = one.make();
    std::string remark;
    BOOST_TEST(!zone.restore(remark));
    auto update = zone.refresh(false, {});
    BOOST_TEST((update.outcome == TransferOutcome::whole));
    BOOST_TEST(update.soa->serial == 1U);
    BOOST_TEST(update.is_listed);
    BOOST_REQUIRE(update.policy != nullptr);
    update = zone.refresh(false, {});
    BOOST_TEST((update.outcome == TransferOutcome::unchanged));
    BOOST_TEST(update.policy == nullptr);
    one.primary.serial = 2;
    one.primary.differences = {
        difference(1, soa(1) + "bad 60 CNAME .\n", 2, soa(2) + "new 60 CNAME .\n", kFeed)};
    update = zone.refresh(false, {});
    BOOST_TEST((update.outcome == TransferOutcome::incremental));
    BOOST_REQUIRE(update.policy != nullptr);
    BOOST_TEST(update.policy->changes->size() == 2U);
    BOOST_TEST(update.soa->serial == 2U);

    // The next process has the same zone before it asks anybody.
    KeptZone again = one.make();
    const auto kept = again.restore(remark);
    BOOST_REQUIRE(kept);
    BOOST_TEST(remark.empty(), remark);
    BOOST_TEST(kept->update.soa->serial == 2U);
    BOOST_TEST(kept->update.policy->triggers == 1U);
}

BOOST_AUTO_TEST_CASE(differences_that_do_not_fit_are_followed_by_the_whole_zone) {
    Case one;
    KeptZone zone = one.make();
    (void)zone.refresh(false, {});
    one.primary.serial = 2;
    one.primary.text = soa(2) + "other 60 CNAME .\n";
    one.primary.differences = {difference(1, soa(1) + "missing 60 CNAME .\n", 2, soa(2), kFeed)};
    const auto update = zone.refresh(false, {});
    BOOST_TEST((update.outcome == TransferOutcome::whole));
    BOOST_TEST(update.soa->serial == 2U);
    BOOST_TEST(one.primary.requests.back().whole);
}

BOOST_AUTO_TEST_CASE(the_next_primary_is_asked_and_the_zone_stays_while_all_are_away) {
    Case one;
    KeptZone zone = one.make();
    (void)zone.refresh(false, {});
    one.primary.is_away = true;
    one.primary.requests.clear();
    const auto update = zone.refresh(false, {});
    BOOST_TEST((update.outcome == TransferOutcome::unreachable));
    BOOST_TEST(one.primary.requests.size() == 2U);
    BOOST_TEST(update.primary == "192.0.2.2:53");
    BOOST_TEST(update.soa->serial == 1U);
    BOOST_TEST(update.policy == nullptr);
}

BOOST_AUTO_TEST_CASE(a_zone_with_a_wrong_digest_is_rejected) {
    Case one;
    one.primary.text = soa(1) + "@ 60 TYPE63 \\# 54 000000010101" + std::string(96, '0') + "\n";
    KeptZone zone = one.make();
    const auto update = zone.refresh(false, {});
    BOOST_TEST((update.outcome == TransferOutcome::bad_digest));
    BOOST_TEST(!update.soa);
    one.settings.digest = config::ZoneDigest::ignore;
    KeptZone careless = one.make();
    BOOST_TEST((careless.refresh(false, {}).outcome == TransferOutcome::whole));
    one.settings.digest = config::ZoneDigest::required;
    one.primary.text = soa(1);
    KeptZone strict = one.make();
    BOOST_TEST((strict.refresh(false, {}).outcome == TransferOutcome::bad_digest));
}

BOOST_AUTO_TEST_CASE(a_merge_changes_only_the_tables) {
    Case one;
    KeptZone zone = one.make();
    (void)zone.refresh(false, {});
    one.primary.serial = 2;
    one.primary.differences = {difference(1, soa(1), 2, soa(2) + "new 60 CNAME .\n", kFeed)};
    (void)zone.refresh(false, {});
    const auto update = zone.merge();
    BOOST_REQUIRE(update.policy != nullptr);
    BOOST_TEST(update.policy->changes == nullptr);
    BOOST_TEST(update.policy->triggers == 2U);
    std::string remark;
    KeptZone again = one.make();
    const auto kept = again.restore(remark);
    BOOST_REQUIRE(kept);
    BOOST_TEST(kept->update.records == 3U);
}

// Settings may become stricter while the primary's serial stays.
BOOST_AUTO_TEST_CASE(a_kept_zone_is_judged_by_the_settings_of_now) {
    Case one;
    KeptZone zone = one.make();
    (void)zone.refresh(false, {});
    const auto is_refused = [&] {
        KeptZone again = one.make();
        std::string remark;
        const bool is_kept = again.restore(remark).has_value();
        BOOST_TEST(remark.find("cannot be used") != std::string::npos);
        one.primary.requests.clear();
        (void)again.refresh(false, {});
        // The primary is asked for the whole zone, and judged in turn.
        BOOST_TEST(!one.primary.requests.at(0).have.has_value());
        return !is_kept;
    };
    one.settings.digest = config::ZoneDigest::required;
    BOOST_TEST(is_refused());
    one.settings.digest = config::ZoneDigest::if_present;
    one.settings.max_records = 1;
    BOOST_TEST(is_refused());
}

BOOST_AUTO_TEST_CASE(a_wrong_digest_keeps_the_old_zone) {
    Case one;
    KeptZone zone = one.make();
    (void)zone.refresh(false, {});
    one.primary.serial = 2;
    const std::string digest = "@ 60 TYPE63 \\# 54 000000020101" + std::string(96, '0') + "\n";
    one.primary.text = soa(2) + digest + "new 60 CNAME .\n";
    one.primary.differences = {
        difference(1, soa(1), 2, soa(2) + digest + "new 60 CNAME .\n", kFeed)};
    const auto update = zone.refresh(false, {});
    BOOST_TEST((update.outcome == TransferOutcome::bad_digest));
    BOOST_TEST(update.soa->serial == 1U);
    BOOST_TEST(update.policy == nullptr);
    BOOST_TEST(one.primary.requests.back().whole);  // of each primary
    std::string remark;
    KeptZone again = one.make();
    BOOST_TEST(again.restore(remark)->update.soa->serial == 1U);
}

BOOST_AUTO_TEST_CASE(a_chain_of_differences_cannot_grow_the_zone_beyond_its_limits) {
    Case one;
    one.settings.max_records = 100;
    KeptZone zone = one.make();
    (void)zone.refresh(false, {});
    std::uint32_t in_force = 1;
    KeptZone::Update update;
    for (std::uint32_t serial = 2; serial < 50; ++serial) {
        std::string names;
        for (int i = 0; i < 10; ++i)
            names += "n" + std::to_string(serial) + "-" + std::to_string(i) + " 60 CNAME .\n";
        one.primary.serial = serial;
        one.primary.differences = {
            difference(serial - 1, soa(serial - 1), serial, soa(serial) + names, kFeed)};
        one.primary.requests.clear();
        update = zone.refresh(false, {});
        if (update.outcome != TransferOutcome::incremental) break;
        in_force = serial;
    }
    BOOST_TEST((update.outcome == TransferOutcome::too_large));
    BOOST_TEST(update.why.find("max_records") != std::string::npos);
    BOOST_TEST(in_force == 10U);  // 2 + 9 * 10 records
    BOOST_TEST(update.soa->serial == in_force);
    BOOST_TEST(update.records == 92U);
    BOOST_TEST(one.primary.requests.size() == 2U);  // no AXFR, which is as large
}

BOOST_AUTO_TEST_CASE(an_older_serial_is_reported_and_taken_on_request) {
    Case one;
    one.primary.serial = 5;
    one.primary.text = soa(5) + "bad 60 CNAME .\n";
    KeptZone zone = one.make();
    (void)zone.refresh(false, {});
    one.primary.serial = 4;
    one.primary.text = soa(4);
    auto update = zone.refresh(false, {});
    BOOST_TEST((update.outcome == TransferOutcome::unchanged));
    BOOST_TEST(update.soa->serial == 5U);
    BOOST_TEST(update.remark.find("older than 5") != std::string::npos, update.remark);
    update = zone.refresh(true, {});
    BOOST_TEST((update.outcome == TransferOutcome::whole));
    BOOST_TEST(update.soa->serial == 4U);
}

BOOST_AUTO_TEST_CASE(a_primary_that_lags_behind_does_not_hide_the_next_one) {
    Case one;
    one.primary.serial = 5;
    one.primary.text = soa(5) + "bad 60 CNAME .\n";
    Primary lagging;
    lagging.serial = 4;
    const build::SecondaryPlan plan{"feed", one.settings, true, one.policy, nullptr};
    KeptZone zone(plan, one.targets, [&](const ExchangeRequest& request, const std::stop_token&) {
        const bool is_first = request.primary.address == one.settings.primaries[0].address;
        return is_first && request.have ? lagging(request) : one.primary(request);
    });
    (void)zone.refresh(false, {});
    one.primary.serial = 6;
    one.primary.text = soa(6) + "new 60 CNAME .\n";
    auto update = zone.refresh(false, {});
    BOOST_TEST((update.outcome == TransferOutcome::whole));
    BOOST_TEST(update.soa->serial == 6U);
    one.primary.is_away = true;
    update = zone.refresh(false, {});
    BOOST_TEST((update.outcome == TransferOutcome::unchanged));
    BOOST_TEST(update.remark.find("older than 6") != std::string::npos, update.remark);
}

// Files end at a limit, as on a full disk: the journal is torn in the middle of a change.
BOOST_AUTO_TEST_CASE(on_a_full_disk_the_zone_is_used_and_the_file_stays_an_old_zone) {
    Case one;
    one.settings.list_file.clear();
    KeptZone zone = one.make();
    (void)zone.refresh(false, {});
    const auto take_serial = [&](std::uint32_t serial) {
        const std::string name = "n" + std::to_string(serial) + " 60 CNAME .\n";
        one.primary.serial = serial;
        one.primary.differences = {
            difference(serial - 1, soa(serial - 1), serial, soa(serial) + name, kFeed)};
        return zone.refresh(false, {});
    };
    const auto kept_serial = [&] {
        std::string remark;
        KeptZone again = one.make();
        const auto kept = again.restore(remark);
        BOOST_TEST(remark.empty(), remark);
        return kept->update.soa->serial;
    };
    rlimit before{};
    BOOST_REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit full{100, before.rlim_max};
    BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &full) == 0);
    auto second = take_serial(2);
    const auto failed_merge = zone.merge();
    auto third = take_serial(3);
    BOOST_REQUIRE(::setrlimit(RLIMIT_FSIZE, &before) == 0);
    std::signal(SIGXFSZ, handler);
    BOOST_TEST((second.outcome == TransferOutcome::incremental));
    BOOST_TEST(second.soa->serial == 2U);
    BOOST_TEST(second.remark.find("cannot be written") != std::string::npos, second.remark);
    BOOST_TEST(second.is_merge_due);
    BOOST_TEST(!failed_merge.remark.empty());
    BOOST_TEST((third.outcome == TransferOutcome::incremental));
    BOOST_TEST(kept_serial() == 1U);
    // There is room again: the journal lacks changes, so only a whole image helps.
    BOOST_TEST(!take_serial(4).remark.empty());
    BOOST_TEST(kept_serial() == 1U);
    BOOST_TEST(zone.merge().remark.empty());
    BOOST_TEST(kept_serial() == 4U);
    BOOST_TEST(take_serial(5).remark.empty());
    BOOST_TEST(kept_serial() == 5U);
}

BOOST_AUTO_TEST_CASE(a_journal_that_does_not_fit_is_left_out_and_replaced) {
    Case one;
    {
        KeptZone zone = one.make();
        (void)zone.refresh(false, {});
    }
    ZoneFile file(one.settings.file);
    (void)file.load(wire(kFeed));
    BOOST_REQUIRE(file.append({difference(7, soa(7), 8, soa(8), kFeed)}));
    KeptZone zone = one.make();
    std::string remark;
    const auto kept = zone.restore(remark);
    BOOST_REQUIRE(kept);
    BOOST_TEST(kept->update.soa->serial == 1U);
    const std::string journal = one.settings.file + ".changes";
    BOOST_TEST(remark.find("it is kept as \"" + journal + ".damaged\"") != std::string::npos,
               remark);
    BOOST_TEST(std::filesystem::exists(journal + ".damaged"));
    BOOST_TEST(kept->update.is_merge_due);
    BOOST_TEST(zone.merge().remark.empty());
    remark.clear();
    KeptZone again = one.make();
    BOOST_TEST(again.restore(remark)->update.soa->serial == 1U);
    BOOST_TEST(remark.empty(), remark);
}

// The sums of its bytes are right: only what they mean is wrong.
BOOST_AUTO_TEST_CASE(a_journal_whose_owner_is_no_name_of_the_zone_is_put_aside) {
    const Bytes no_name, other = wire("b.other.example");
    for (const Bytes& owner : {no_name, Bytes{0}, other}) {
        Case one;
        KeptZone first = one.make();
        (void)first.refresh(false, {});
        ZoneFile file(one.settings.file);
        (void)file.load(wire(kFeed));
        auto wrong = difference(1, soa(1), 2, soa(2), kFeed);
        wrong.added.push_back({owner, dns::kA, 60, {192, 0, 2, 1}});
        BOOST_REQUIRE(file.append({wrong}));
        KeptZone zone = one.make();
        std::string remark;
        const auto kept = zone.restore(remark);
        BOOST_REQUIRE(kept);
        BOOST_TEST(kept->update.soa->serial == 1U);
        BOOST_TEST(remark.find("is damaged") != std::string::npos, remark);
        BOOST_TEST(std::filesystem::exists(one.settings.file + ".changes.damaged"));
        // Later changes need a whole image first; then the file is good again.
        one.primary.serial = 2;
        one.primary.differences = {difference(1, soa(1), 2, soa(2), kFeed)};
        BOOST_TEST((zone.refresh(false, {}).outcome == TransferOutcome::incremental));
        BOOST_TEST(zone.merge().remark.empty());
        KeptZone again = one.make();
        remark.clear();
        BOOST_TEST(again.restore(remark)->update.soa->serial == 2U);
        BOOST_TEST(remark.empty(), remark);
    }
}

BOOST_AUTO_TEST_CASE(targets_above_the_share_are_tried_again_when_there_is_room) {
    Case one;
    one.all_targets->divide(LiveTargets::kMost);  // one for each zone
    one.primary.serial = 5;
    one.primary.text = soa(5) + "a 60 CNAME old.example.\n";
    KeptZone zone = one.make();
    auto first = zone.refresh(false, {});
    BOOST_TEST(first.skipped.count == 0U);
    one.primary.serial = 6;
    one.primary.text = soa(6) + "a 60 CNAME new.example.\n";
    auto second = zone.refresh(false, {});
    BOOST_TEST(second.skipped.count == 1U);
    first.policy.reset();  // workers have the second one
    const auto third = zone.refresh(false, {});
    BOOST_TEST(third.skipped.count == 1U);  // the number of old.example rests
    one.now_s += LiveTargets::kRestS;
    const auto last = zone.refresh(false, {});
    BOOST_TEST((last.outcome == TransferOutcome::unchanged));
    BOOST_TEST((last.policy != nullptr));
    BOOST_TEST(last.skipped.count == 0U);
    BOOST_TEST((zone.refresh(false, {}).policy == nullptr));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::transfer::test
