#: row = 15
#: says = "ships conftest.py and pytest.ini"
#: control = "pytest"
#: notebook = true
print("the work itself does nothing")
