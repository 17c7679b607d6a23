// Compiled lists as files: they come back, damaged ones do not, and an unwritable folder is a sentence.
#include "control/build/image_folder.h"

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "matchers/name_matcher.h"
#include "support/temp_folder.h"

namespace steer::build {
namespace {

namespace fs = std::filesystem;

struct Folder : test::TempFolder {
    [[nodiscard]] std::vector<fs::path> files() const {
        std::vector<fs::path> out;
        for (const auto& entry : fs::directory_iterator(path))
            out.push_back(entry.path());
        return out;
    }
};

// Enough rules to be kept.
std::unique_ptr<matchers::NameMatcher> matcher(ImageFolder& images, int first = 0) {
    matchers::NameMatcherBuilder builder;
    for (int i = first; i < first + 25'000; ++i)
        builder.add(static_cast<matchers::SetId>(i % 3),
                    {matchers::RuleKind::domain, "n" + std::to_string(i) + ".example"});
    for (int i = 0; i < 30; ++i)
        builder.add(3, {matchers::RuleKind::regexp, "word" + std::to_string(i) + "[0-9]|^x"});
    std::vector<Error> errors, warnings;
    auto out = builder.build(errors, warnings, &images);
    BOOST_TEST_REQUIRE(errors.empty());
    return out;
}

void check_answers(const matchers::NameMatcher& image) {
    matchers::NameMatcher::Scratch scratch;
    BOOST_TEST_REQUIRE(image.prepare(scratch).has_value());
    const auto tags = [&](std::initializer_list<std::string_view> labels) {
        std::vector<std::uint8_t> wire;
        for (const auto label : labels) {
            wire.push_back(static_cast<std::uint8_t>(label.size()));
            wire.insert(wire.end(), label.begin(), label.end());
        }
        wire.push_back(0);
        return image.match(wire, scratch).words[0];
    };
    BOOST_TEST(tags({"www", "n7", "example"}) == 0b10U);
    BOOST_TEST(tags({"n8", "example"}) == 0b100U);
    BOOST_TEST(tags({"xn9", "example"}) == 0b1000U);
    BOOST_TEST(tags({"aword12", "other"}) == 0b1000U);
    BOOST_TEST(tags({"other", "example"}) == 0U);
}

BOOST_AUTO_TEST_SUITE(image_folder)

BOOST_AUTO_TEST_CASE(a_kept_image_is_not_built_again) {
    const Folder folder;
    ImageFolder images((folder.path / "inner").string());
    check_answers(*matcher(images));
    const auto written = [&] {
        std::vector<std::pair<fs::path, fs::file_time_type>> out;
        for (const auto& entry : fs::directory_iterator(images.folder()))
            out.emplace_back(entry.path().filename(), entry.last_write_time());
        std::ranges::sort(out);
        return out;
    };
    const auto first = written();
    BOOST_TEST(first.size() == 2U);
    check_answers(*matcher(images));
    BOOST_TEST(written().size() == 2U);
    BOOST_TEST(images.take_sentences().empty());
    // Other rules are another image; those of the patterns are the same.
    matcher(images, 1);
    BOOST_TEST(written().size() == 3U);
}

BOOST_AUTO_TEST_CASE(a_damaged_file_is_refused_and_written_again) {
    const Folder folder;
    ImageFolder images(folder.path.string());
    matcher(images);
    const auto files = folder.files();
    BOOST_TEST_REQUIRE(files.size() == 2U);
    for (const auto& path : files) {
        const auto size = fs::file_size(path);
        const auto damage = [&](auto how) {
            how();
            check_answers(*matcher(images));
            const auto said = images.take_sentences();
            BOOST_TEST_REQUIRE(said.size() == 1U);
            BOOST_TEST(said[0] ==
                       path.string() + " is damaged or has another version: it is built again");
            BOOST_TEST(fs::file_size(path) == size);
        };
        damage([&] { fs::resize_file(path, size / 2); });
        damage([&] { fs::resize_file(path, 10); });
        damage([&] { fs::resize_file(path, size + 1); });
        for (const std::uintmax_t at :
             {std::uintmax_t{0}, std::uintmax_t{20}, size / 2, size - 1}) {
            damage([&] {
                std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
                file.seekg(static_cast<std::streamoff>(at));
                const char c = static_cast<char>(file.get() ^ 0x40);
                file.seekp(static_cast<std::streamoff>(at));
                file.put(c);
            });
        }
    }
}

BOOST_AUTO_TEST_CASE(old_images_are_removed_and_a_bad_folder_is_an_error) {
    const Folder folder;
    ImageFolder images(folder.path.string());
    for (int i = 0; i < 8; ++i)
        matcher(images, i * 100);
    BOOST_TEST(folder.files().size() == 5U);  // four of suffixes, one of patterns
    std::ofstream(folder.path / "file") << "x";
    ImageFolder none((folder.path / "file" / "inner").string());
    check_answers(*matcher(none));
    const auto said = none.take_sentences();
    BOOST_TEST_REQUIRE(!said.empty());
    BOOST_TEST((said.back().find("cannot be kept in") != std::string::npos));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::build
