// The version that served last: which is newer, and that the file is kept.
#include "control/served_version.h"

#include <boost/test/unit_test.hpp>

#include "support/temp_folder.h"

namespace steer {
namespace {

BOOST_AUTO_TEST_SUITE(served_versions)

BOOST_AUTO_TEST_CASE(versions_are_compared_by_their_numbers) {
    BOOST_TEST(is_newer_version("0.10.0", "0.9.9"));
    BOOST_TEST(!is_newer_version("0.9.9", "0.10.0"));
    BOOST_TEST(!is_newer_version("0.1.0", "0.1.0"));
    BOOST_TEST(is_newer_version("0.1.0+git20261123.0740.d013ea4", "0.1.0"));
    BOOST_TEST(is_newer_version("0.1.0+git20261123.0741.a", "0.1.0+git20261123.0740.b"));
    BOOST_TEST(is_newer_version("0.1.1", "0.1.0+git20261123.0740.d013ea4"));
    for (const char* const odd : {"", "x", "1", "1.2", "0.2.", "0.2.0+git", "0.2.0+git1"})
        BOOST_TEST(!is_newer_version(odd, "0.0.1"), odd);
}

BOOST_AUTO_TEST_CASE(the_version_that_served_is_kept_if_there_is_a_folder_for_it) {
    const test::TempFolder folder;
    const std::string file = folder / "version";
    BOOST_TEST(served_version(file).empty());
    keep_served_version("0.2.0", file);
    BOOST_TEST(served_version(file) == "0.2.0");
    keep_served_version("0.1.0", file);
    BOOST_TEST(served_version(file) == "0.1.0");
    keep_served_version("0.1.0", folder / "nowhere/version");
    BOOST_TEST(served_version(folder / "nowhere/version").empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer
