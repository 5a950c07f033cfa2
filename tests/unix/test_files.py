import pytest

from swarmsim.unix.files import Layer, Tree, file, folder, link
from swarmsim.unix.mounts import ROOT, FileSystem, Mount, User

NOBODY = User(65534, 65534)


def image():
    return Layer({"/etc": folder(), "/etc/motd": file("hello\n"), "/data": folder(), "/bin": folder()})


def test_a_container_that_writes_nothing_has_an_empty_layer():
    tree = Tree((image(),))
    assert FileSystem(tree).read("/etc/motd") == b"hello\n"
    assert tree.upper.entries == {}


def test_what_is_written_is_copied_up_and_the_image_stays_as_it_was():
    below = image()
    one, other = Tree((below,)), Tree((below,))
    FileSystem(one).write("/etc/motd", b"changed\n", now=5.0)
    assert FileSystem(one).read("/etc/motd") == b"changed\n"
    assert FileSystem(other).read("/etc/motd") == b"hello\n"
    assert list(one.upper.entries) == ["/etc/motd"]


def test_what_is_removed_leaves_a_whiteout():
    tree = Tree((image(),))
    files = FileSystem(tree)
    files.unlink("/etc/motd", ROOT, 1.0)
    assert files.names("/etc") == []
    assert tree.upper.entries["/etc/motd"] is None
    files.write("/etc/motd", b"new\n")
    assert files.read("/etc/motd") == b"new\n"


def test_a_volume_hides_what_the_image_has_and_is_shared():
    volume = Tree()
    one, other = FileSystem(Tree((image(),))), FileSystem(Tree((image(),)))
    one.mount(Mount("/data", volume))
    other.mount(Mount("/data", volume, read_only=True))
    one.write("/data/f", b"1")
    assert other.read("/data/f") == b"1"
    with pytest.raises(OSError, match="Read-only file system"):
        other.write("/data/g", b"2")
    with pytest.raises(OSError, match="Device or resource busy"):
        one.remove_folder("/data", ROOT, 0.0)


def test_a_part_of_a_volume_and_a_file_alone_can_be_mounted():
    host = Tree()
    files = FileSystem(host)
    files.make_folder("/conf", ROOT, 0.0)
    files.write("/conf/app.ini", b"x=1")
    container = FileSystem(Tree((image(),)))
    container.mount(Mount("/etc/app.ini", host, "/conf/app.ini", read_only=True))
    assert container.read("/etc/app.ini") == b"x=1"


def test_links_lead_on_and_in_circles_nowhere():
    files = FileSystem(Tree((Layer({"/a": folder(), "/a/b": link("../c"), "/c": folder(), "/c/f": file("x")}),)))
    assert files.read("/a/b/f") == b"x"
    assert files.resolve("/a/b/../a").path == "/a"
    files.make_link("loop", "/loop", ROOT, 0.0)
    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        files.read("/loop")


@pytest.mark.parametrize(("mode", "allowed"), [(0o644, False), (0o666, True), (0o600, False), (0o602, True)])
def test_who_is_not_root_may_what_the_mode_says(mode, allowed):
    files = FileSystem(Tree((Layer({"/f": file("x", mode)}),)))
    if allowed:
        files.write("/f", b"y", NOBODY)
        return
    with pytest.raises(PermissionError):
        files.write("/f", b"y", NOBODY)


def test_hard_links_share_what_is_written():
    files = FileSystem(Tree((image(),)))
    files.hard_link("/etc/motd", "/etc/second", ROOT, 0.0)
    files.write("/etc/second", b"both\n")
    assert files.read("/etc/motd") == b"both\n"


def test_a_folder_moves_with_all_that_is_in_it():
    files = FileSystem(Tree((image(),)))
    files.rename("/etc", "/config", ROOT, 1.0)
    assert files.read("/config/motd") == b"hello\n"
    assert not files.exists("/etc")
    with pytest.raises(OSError, match="Invalid argument"):
        files.rename("/config", "/config/inner", ROOT, 1.0)
